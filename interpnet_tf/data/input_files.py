"""Files to explain: pictures, rows of tables, or arrays of what a classifier reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from interpnet_tf.data.images import read_image
from interpnet_tf.data.inputs import input_structure, read_arrays
from interpnet_tf.data.record_files import read_objects
from interpnet_tf.data.tables import read_rows
from interpnet_tf.support.array_files import read_array

_ARRAYS, _TABLES = (".npy", ".npz"), (".csv", ".jsonl")


def read_inputs(paths: Sequence[str], classifier: keras.Model) -> tuple[list[str], Any]:
    """Reads files into what a classifier takes.

    Args:
        paths: of `.npy` or `.npz` files (array `features`) of one input of the classifier, such as a feature
            vector `(width,)`, or several `(examples, ...)`; for a classifier of colour pictures also of
            pictures. For a classifier of the columns of a table, or of one text, the paths of `.csv` or
            `.jsonl` files that have a column for each input.
        classifier: the classifier.

    Returns:
        A name for each example (of a row its `id`, else file and number), and the examples in the structure
        of the classifier's input, `(examples, ...)` each.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file holds something else than the classifier reads.
    """
    inputs = classifier.inputs
    are_tables = [Path(path).suffix.lower() in _TABLES for path in paths]
    if all(are_tables):
        return _read_tables(paths, classifier)
    if any(are_tables) or len(inputs) > 1 or inputs[0].dtype == "string":
        raise ValueError(
            f"{paths[are_tables.index(False)]}: the classifier reads {_named(inputs)}; give .csv or .jsonl "
            "files alone, with a column of each name"
        )
    shape = tuple(inputs[0].shape[1:])
    names: list[str] = []
    parts: list[np.ndarray] = []
    for path in paths:
        if not Path(path).exists():
            raise FileNotFoundError(f"{path}: there is no such file")
        is_array = Path(path).suffix.lower() in _ARRAYS
        part = _read_arrays(path, shape) if is_array else _read_picture(path, shape)
        names += [path] if len(part) == 1 else [f"{path}[{index}]" for index in range(len(part))]
        parts.append(part)
    if len({part.shape[1:] for part in parts}) > 1:
        raise ValueError(f"the files hold arrays of several shapes: {[part.shape[1:] for part in parts]}")
    return names, np.concatenate(parts)


def read_texts(texts: Sequence[str], classifier: keras.Model) -> Any:
    """Returns texts as a classifier of one text takes them.

    Raises:
        ValueError: if the classifier reads something else.
    """
    if len(classifier.inputs) != 1 or classifier.inputs[0].dtype != "string":
        raise ValueError(
            f"--text is for a classifier of one text, but {classifier.name!r} reads "
            f"{_named(classifier.inputs)}; give a file"
        )
    return read_arrays(list(texts), input_structure(classifier))


def _read_tables(paths: Sequence[str], classifier: keras.Model) -> tuple[list[str], Any]:
    names: list[str] = []
    parts: list[Any] = []
    for path in paths:
        is_csv = Path(path).suffix.lower() == ".csv"
        rows = read_rows(path) if is_csv else read_objects(Path(path))
        if not rows:
            raise ValueError(f"{path} holds no row")
        names += [str(row.get("id") or f"{path}[{index}]") for index, row in enumerate(rows)]
        try:
            parts.append(read_arrays(rows, input_structure(classifier), Path(path).name))
        except ValueError as error:
            raise ValueError(f"{path}: the classifier reads {_named(classifier.inputs)}; {error}") from None
    return names, keras.tree.map_structure(lambda *some: np.concatenate(some), *parts)


def _named(inputs: Sequence[Any]) -> str:
    if len(inputs) == 1:
        return f"the column {inputs[0].name!r}"
    return f"the columns {', '.join(tensor.name for tensor in inputs)}"


def _read_picture(path: str, shape: tuple[int | None, ...]) -> np.ndarray:
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(
            f"{path}: not a file of {'features' if len(shape) == 1 else 'arrays'}; {_advice(shape)}"
        )
    if shape[0] is None or shape[0] != shape[1]:
        raise ValueError(
            f"{path}: the classifier reads pictures of {shape[0] or 'any'} x {shape[1] or 'any'} pixels, and "
            "files of pictures are read as squares of one size; give them as .npy files"
        )
    return read_image(path, shape[0])[None]


def _read_arrays(path: str, shape: tuple[int | None, ...]) -> np.ndarray:
    array = read_array(path, "features")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{path}: holds {array.dtype} and not numbers; {_advice(shape)}")
    if array.ndim == len(shape):
        array = array[None]
    fits = array.ndim == 1 + len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, array.shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(f"{path}: holds an array of shape {array.shape}; {_advice(shape)}")
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: holds numbers that are not finite")
    return array if array.dtype == "uint8" else array.astype("float32")


def _advice(shape: tuple[Any, ...]) -> str:
    if len(shape) == 1:
        return f"this classifier reads feature vectors of {shape[0]} numbers, from .npy or .npz files"
    sizes = " x ".join("any" if size is None else str(size) for size in shape)
    return f"this classifier reads arrays of {sizes}, from .npy or .npz files"
