"""Whether a data set can be learnt from, and fits a classifier: told before any training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import input_structure, read_arrays
from interpnet_tf.introspection.probabilities import class_count


def check_data(dataset: ExplanationDataset, what: str, trains_classifier: bool = True) -> None:
    """Raises a `ValueError` unless a run can be trained on a data set.

    Args:
        dataset: the training or the validation data.
        what: how error messages call it.
        trains_classifier: whether the run trains a classifier of its own, too.
    """
    if len(dataset.class_names) < 2:
        raise ValueError(
            f"{what} has the class {dataset.class_names[0]!r} only; a classifier needs two or more"
        )
    is_table = isinstance(dataset.inputs, dict)  # of which a cell may be missing
    if trains_classifier and is_table and all(map(_holds_sentences, dataset.inputs.values())):
        raise ValueError(
            f"{what} holds {' and '.join(dataset.inputs)} as they are, and what is trained here reads "
            "numbers and categories; make numbers of sentences with `interpnet features` and give the file "
            "with --features, or give a text classifier that is trained already with --classifier"
        )
    if not is_table and not np.isfinite(dataset.inputs).all():
        row = int(np.argwhere(~np.isfinite(dataset.inputs))[0][0])
        raise ValueError(f"the features of {dataset.ids[row]!r} in {what} are not finite; mend the file")
    if not any(dataset.explanations):
        raise ValueError(f"{what} has no sentence to learn from")


def _holds_sentences(column: np.ndarray) -> bool:
    """Whether the cells of a column are of three words or more on average."""
    return column.dtype == object and np.mean([len(str(cell).split()) for cell in column]) >= 3


def check_classifier(classifier: keras.Model, dataset: ExplanationDataset, what: str) -> None:
    """Raises a `ValueError` unless a classifier reads the inputs of a data set and has its classes.

    Args:
        classifier: trained elsewhere.
        dataset: the data.
        what: how error messages call the data.
    """
    if isinstance(dataset.inputs, dict) or len(classifier.inputs) > 1:
        _check_columns(classifier, dataset, what)
    else:
        _check_shape(classifier, dataset, what)
    if class_count(classifier) != len(dataset.class_names):
        raise ValueError(
            f"classifier {classifier.name!r} knows {class_count(classifier)} classes, but {what} has "
            f"{len(dataset.class_names)}: {', '.join(dataset.class_names[:10])}"
        )


def _check_columns(classifier: keras.Model, dataset: ExplanationDataset, what: str) -> None:
    names = [tensor.name for tensor in classifier.inputs]
    if not isinstance(dataset.inputs, dict):
        raise ValueError(
            f"classifier {classifier.name!r} reads the inputs {', '.join(names)}, but {what} holds "
            f"{_shape(dataset.inputs.shape[1:])}; give data with a column of the name of each input"
        )
    try:
        read_arrays(dataset, input_structure(classifier))
    except ValueError as error:
        raise ValueError(
            f"classifier {classifier.name!r} reads the inputs {', '.join(names)}, and {what} has the columns "
            f"{', '.join(dataset.inputs)}: {error}"
        ) from None


def _check_shape(classifier: keras.Model, dataset: ExplanationDataset, what: str) -> None:
    wanted, given = classifier.inputs[0].shape[1:], dataset.inputs.shape[1:]
    if len(wanted) != len(given) or any(n not in (None, m) for n, m in zip(wanted, given, strict=True)):
        raise ValueError(
            f"classifier {classifier.name!r} reads {_shape(wanted)}, but {what} holds {_shape(given)}; give "
            "data as it was trained on, such as with --features or --image-size"
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
