"""Baselines: the r(x) of an example that tells nothing, from which attributions are counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.generation.explaining_model import ExplainingModel


def read_baseline(model: ExplainingModel, baseline: Any, examples: int) -> np.ndarray:
    """Returns the baseline of each example, float32 `(examples, width)`.

    Args:
        model: the `InterpNet`.
        baseline: `"mean"`, that of r over the training examples, which `fit` found; `"zeros"`; or an array
            `(width,)` or `(examples, width)`, such as the r(x) of another example, see `introspect`.
        examples: their number.

    Raises:
        ValueError: if it is none of these.
    """
    width = model.introspector.width
    if isinstance(baseline, str) and baseline in ("mean", "zeros"):
        one = tf.convert_to_tensor(model.r_mean).numpy() if baseline == "mean" else np.zeros(width)
    else:
        try:
            one = np.asarray(baseline, "float32")
        except (TypeError, ValueError):
            one = None
        if one is None or one.shape not in ((width,), (examples, width)):
            seen = repr(baseline) if one is None else f"an array of shape {one.shape}"
            raise ValueError(
                f"baseline must be 'mean', 'zeros' or an array ({width},) or ({examples}, {width}), such as "
                f"model.introspect(another) gives, got {seen}"
            )
        if not np.isfinite(one).all():
            raise ValueError("baseline holds NaN or infinity; replace such values")
    return np.broadcast_to(one.astype("float32"), (examples, width))
