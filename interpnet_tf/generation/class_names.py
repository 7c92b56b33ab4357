"""The names of a classifier's classes, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from interpnet_tf.introspection.probabilities import class_count
from interpnet_tf.language.text import check_encodable, clean_name


def read_class_names(names: Sequence[str] | None, classifier: keras.Model) -> list[str]:
    """Returns one name a class, in one Unicode form.

    Args:
        names: in the order of the classes; `None` numbers them.
        classifier: whose classes they are.

    Raises:
        ValueError: if `names` is not a list with a text for each class.
    """
    classes = class_count(classifier)
    if names is None:
        return [str(index) for index in range(classes)]
    if isinstance(names, (str, bytes)) or not isinstance(names, (Sequence, np.ndarray)):
        raise ValueError(
            f"class_names must be a list of names in the order of the classes, got a {type(names).__name__}"
        )
    if len(names) != classes:
        of_one = " (one unit tells two classes apart)" if classifier.output_shape[-1] == 1 else ""
        raise ValueError(
            f"class_names must have a name for each of the {classes} classes{of_one}, got {len(names)}"
        )
    return [_read(index, name) for index, name in enumerate(names)]


def _read(index: int, name: Any) -> str:
    if not isinstance(name, str):
        raise ValueError(f"class_names[{index}] must be a text, got {name!r}; write numbers as texts")
    check_encodable(name, f"class_names[{index}]")
    return clean_name(str(name))
