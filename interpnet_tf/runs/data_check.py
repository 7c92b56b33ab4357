"""Whether a data set can be learnt from, and fits a classifier: told before any training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.introspection.probabilities import class_count


def check_data(dataset: ExplanationDataset, what: str) -> None:
    """Raises a `ValueError` unless a run can be trained on a data set.

    Args:
        dataset: the training or the validation data.
        what: how error messages call it.
    """
    if len(dataset.class_names) < 2:
        raise ValueError(
            f"{what} has the class {dataset.class_names[0]!r} only; a classifier needs two or more"
        )
    if isinstance(dataset.inputs, dict):
        raise ValueError(
            f"{what} holds {' and '.join(dataset.inputs)} as they are, and what is trained "
            "here reads numbers; make them with `interpnet features` and give the file with --features"
        )
    if not np.isfinite(dataset.inputs).all():
        row = int(np.argwhere(~np.isfinite(dataset.inputs))[0][0])
        raise ValueError(f"the features of {dataset.ids[row]!r} in {what} are not finite; mend the file")
    if not any(dataset.explanations):
        raise ValueError(f"{what} has no sentence to learn from")


def check_classifier(classifier: keras.Model, dataset: ExplanationDataset, what: str) -> None:
    """Raises a `ValueError` unless a classifier reads the inputs of a data set and has its classes.

    Args:
        classifier: trained elsewhere.
        dataset: the data.
        what: how error messages call the data.
    """
    if len(classifier.inputs) > 1:
        raise ValueError(
            f"classifier {classifier.name!r} reads several inputs, which a file of data has no names for; "
            "train its explainer in Python, with InterpNet"
        )
    wanted, given = classifier.inputs[0].shape[1:], dataset.inputs.shape[1:]
    if len(wanted) != len(given) or any(n not in (None, m) for n, m in zip(wanted, given, strict=True)):
        raise ValueError(
            f"classifier {classifier.name!r} reads {_shape(wanted)}, but {what} holds {_shape(given)}; give "
            "data as it was trained on, such as with --features or --image-size"
        )
    if class_count(classifier) != len(dataset.class_names):
        raise ValueError(
            f"classifier {classifier.name!r} knows {class_count(classifier)} classes, but {what} has "
            f"{len(dataset.class_names)}: {', '.join(dataset.class_names[:10])}"
        )


def check_class_names(names: list[str], dataset: ExplanationDataset, what: str) -> None:
    """Raises a `ValueError` unless a data set has the classes of a model, in the same order.

    Args:
        names: of the model's classes; plain numbers are the names of those that were given none.
        dataset: the data.
        what: how error messages call the data.
    """
    unnamed = names == [str(index) for index in range(len(names))]
    if len(names) != len(dataset.class_names) or not (unnamed or names == dataset.class_names):
        raise ValueError(
            f"{what} has the classes {', '.join(dataset.class_names[:10])}, the model "
            f"{', '.join(names[:10])}; give data of the same classes"
        )


def _shape(shape: Any) -> str:
    sizes = ["any" if n is None else str(n) for n in shape]
    return f"vectors of {sizes[0]} numbers" if len(sizes) == 1 else f"arrays of {' x '.join(sizes)}"
