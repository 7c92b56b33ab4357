"""Files to explain: pictures, or arrays of what a classifier reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from interpnet_tf.data.images import read_image
from interpnet_tf.support.array_files import read_array

_ARRAYS = (".npy", ".npz")


def read_inputs(paths: Sequence[str], classifier: keras.Model) -> tuple[list[str], np.ndarray]:
    """Reads files into what a classifier takes.

    Args:
        paths: of `.npy` or `.npz` files (array `features`) of one input of the classifier, such as a feature
            vector `(width,)`, or several `(examples, ...)`; for a classifier of colour pictures also of
            pictures.
        classifier: the classifier with a single input.

    Returns:
        A name for each example, and the examples, `(examples, ...)`.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file holds something else than the classifier reads.
    """
    inputs = classifier.inputs
    if len(inputs) > 1:
        raise ValueError(
            f"the classifier reads {len(inputs)} inputs, and a file is one; explain them in Python, with "
            "model.explain"
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
