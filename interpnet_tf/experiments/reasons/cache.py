"""Measurements of a classifier that are kept on disk, by its weights and by what it was measured on."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from interpnet_tf.support.array_files import read_arrays
from interpnet_tf.support.atomic import replacing
from interpnet_tf.support.errors import UnreadableFileError


def path_of(
    folder: str | os.PathLike, classifier: keras.Model, first: np.ndarray, arguments: dict[str, Any]
) -> Path:
    """Names the file that holds what was measured.

    Args:
        folder: of such files.
        classifier: that is measured.
        first: the first picture that it is measured on, which tells data that are drawn in another way.
        arguments: all else that the measurement depends on, as JSON can hold it.

    Returns:
        Its path: another classifier, picture or argument gives another one.
    """
    digest = hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode())
    for array in (first, *classifier.get_weights()):
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array))
    return Path(folder) / f"effects-{digest.hexdigest()[:16]}.npz"


def read(path: Path, *names: str) -> dict[str, np.ndarray] | None:
    """Reads arrays of a file; `None` where there is none, or a damaged one, which is to be written anew."""
    try:
        arrays, _ = read_arrays(path, *names)
    except (FileNotFoundError, UnreadableFileError):
        return None
    return arrays if len(arrays) == len(names) else None


def write(path: Path, **arrays: np.ndarray) -> None:
    """Writes arrays to a file that appears complete or not at all."""
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)
