"""Features of examples, from the `.npz` files that `interpnet features` writes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from interpnet_tf.support.array_files import read_arrays


def find_features(
    features: str | os.PathLike | Literal[False] | None, root: Path, instead: str
) -> Path | None:
    """Finds the file of features that the examples of a data set are read from.

    Args:
        features: its path; `None` for the one in `root/features`, `False` for none.
        root: folder of the data set.
        instead: what is read without features, for error messages.

    Returns:
        The path; `None` where there are no features.

    Raises:
        ValueError: if there are several files to choose from.

    Example:

    >>> find_features("mine.npz", Path("cub"), "the photographs").name
    'mine.npz'
    """
    if features is False:
        return None
    if features is not None:
        return Path(features)
    found = sorted((root / "features").glob("*.npz"))
    if len(found) > 1:
        raise ValueError(
            f"{root / 'features'} holds {', '.join(path.name for path in found)}: say which with "
            f"features=PATH, or features=False for {instead}"
        )
    return found[0] if found else None


def read_features(path: Path, ids: Sequence[str], order: str) -> np.ndarray:
    """Reads the features of examples.

    Args:
        path: of an `.npz` file with an array `features` `(examples, width)`. Where it has an array `ids` too,
            rows are found by it; otherwise they must be those of the examples, in their order.
        ids: of the examples.
        order: what has that order, for error messages.

    Returns:
        float32 `(examples, width)`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or does not hold finite numbers for every example.

    Example:

    >>> np.savez("features.npz", features=np.eye(2), ids=["a.jpg", "b.jpg"])
    >>> read_features(Path("features.npz"), ["b.jpg"], "birds.csv")
    array([[0., 1.]], dtype=float32)
    """
    arrays = _read(path, "features", "ids")
    features = arrays["features"]
    names = arrays["ids"].tolist() if "ids" in arrays else None
    rows = len(ids if names is None else names)
    if features.ndim != 2 or len(features) != rows or features.dtype.kind not in "fiu":
        raise ValueError(
            f"{path}: 'features' must be numbers ({rows}, width), one row an example in the order of "
            f"{order if names is None else 'its ids'}, got {features.dtype} {features.shape}"
        )
    if names is not None and names != list(ids):
        features = features[_rows_of(ids, names, path)]
    features = features.astype("float32", copy=False)
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(f"{path}: row {row} of 'features', example {ids[row]!r}, holds NaN or infinity")
    return features


def check_out(path: Path) -> None:
    """Raises a `ValueError` unless features can be written there, for callers with long work before it."""
    if path.suffix != ".npz":
        raise ValueError(f"out must end in .npz, got {str(path)!r}")


def read_ids(path: Path) -> list[str]:
    """Reads which examples a file has features of, in their order.

    Args:
        path: of an `.npz` file with an array `ids`.

    Returns:
        Their ids.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or has no such array.
    """
    return _read(path, "ids")["ids"].tolist()


def _read(path: Path, required: str, *optional: str) -> dict[str, np.ndarray]:
    """Reads an array of a file, and those of others that it has."""
    if not path.is_file():
        raise FileNotFoundError(f"features: there is no file {str(path)!r}")
    arrays, found = read_arrays(path, required, *optional)
    if required not in arrays:
        raise ValueError(f"{path} has no array {required!r}, only {found}; save it with that name")
    return arrays


def _rows_of(ids: Sequence[str], names: list[str], path: Path) -> list[int]:
    row_of = {name: row for row, name in enumerate(names)}
    for name in ids:
        if name not in row_of:
            raise ValueError(
                f"{path} has no features of {name!r}, only of {', '.join(names[:3])}, …: make it of "
                "these examples; of pictures with `interpnet features --images DIR`, DIR the folder that "
                "image paths begin in"
            )
    return [row_of[name] for name in ids]
