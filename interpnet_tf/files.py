"""Files to explain: pictures, or arrays of features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from interpnet_tf.array_files import read_array
from interpnet_tf.data.images import read_image


def read_inputs(paths: Sequence[str], classifier: keras.Model) -> tuple[list[str], np.ndarray]:
    """Reads files into what a classifier takes.

    Args:
        paths: pictures for a classifier of images; `.npy` or `.npz` files (array `features`) of one feature
            vector `(width,)` or several `(examples, width)` for a classifier of features.
        classifier: the classifier with a single input.

    Returns:
        A name for each example, and the examples, `(examples, ...)`.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file holds something else than the classifier reads.
    """
    shape = tuple(classifier.input_shape[1:])
    names: list[str] = []
    parts: list[np.ndarray] = []
    for path in paths:
        if not Path(path).exists():
            raise FileNotFoundError(f"{path}: there is no such file")
        part = read_image(path, shape[0])[None] if len(shape) == 3 else _read_features(path, shape[0])
        names += [path] if len(part) == 1 else [f"{path}[{index}]" for index in range(len(part))]
        parts.append(part)
    return names, np.concatenate(parts)


def _read_features(path: str, width: int) -> np.ndarray:
    advice = f"this run's classifier reads feature vectors of {width} numbers, from .npy or .npz files"
    if Path(path).suffix not in (".npy", ".npz"):
        raise ValueError(f"{path}: not a file of features; {advice}")
    features = np.atleast_2d(read_array(path, "features"))
    if features.dtype.kind not in "biuf":
        raise ValueError(f"{path}: holds {features.dtype} and not numbers; {advice}")
    features = features.astype("float32")
    if features.ndim != 2 or features.shape[1] != width:
        raise ValueError(f"{path}: holds an array of shape {features.shape}; {advice}")
    if not np.isfinite(features).all():
        raise ValueError(f"{path}: holds numbers that are not finite")
    return features
