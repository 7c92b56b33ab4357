"""The true class in place of the predicted one, as Generating Visual Explanations is trained."""

from __future__ import annotations

import numpy as np

from interpnet_tf.introspection.class_embedding import CLASS_EMBEDDING
from interpnet_tf.model import InterpNet


def with_true_classes(model: InterpNet, r: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns r(x) with the vectors of the true classes in place of those of the predicted ones.

    Args:
        model: whose classifier may have a layer "class_embedding"; r is returned as it is where it has none.
        r: float `(examples, width)`.
        labels: int `(examples,)`.
    """
    where = model.introspector.slices.get(CLASS_EMBEDDING)
    if where is None:
        return r
    r = r.copy()
    r[:, where] = model.classifier.get_layer(CLASS_EMBEDDING).vectors.numpy()[labels]
    return r
