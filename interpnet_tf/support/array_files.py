"""Arrays of numbers in `.npy` and `.npz` files, never unpickled."""

from __future__ import annotations

import os

import numpy as np

from interpnet_tf.support.errors import reading

_ADVICE = "write it anew, with np.save or np.savez, or with `interpnet features`"


def read_arrays(path: str | os.PathLike, *names: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """Reads some arrays of an `.npz` file.

    Args:
        path: of the file.
        names: of the arrays; those that the file lacks are left out.

    Returns:
        The arrays by name, and the names of all that the file holds.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableFileError: if it is no such file, or damaged.

    Example:

    >>> np.savez("birds.npz", features=np.eye(2), ids=["a.jpg", "b.jpg"])
    >>> read_arrays("birds.npz", "ids")
    ({'ids': array(['a.jpg', 'b.jpg'], dtype='<U5')}, ['features', 'ids'])
    """
    with reading(path, "an .npz file of numbers", _ADVICE):
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise ValueError("it holds one array without a name")
        with loaded:
            return {name: loaded[name] for name in names if name in loaded.files}, list(loaded.files)


def read_array(path: str | os.PathLike, name: str) -> np.ndarray:
    """Reads the array of an `.npy` file, or one of an `.npz` file.

    Args:
        path: of the file.
        name: of the array in an `.npz` file.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableFileError: if it is no such file, is damaged, or lacks the array.

    Example:

    >>> np.save("bird.npy", np.ones(3))
    >>> read_array("bird.npy", "features")
    array([1., 1., 1.])
    """
    with reading(path, "a file of numbers", f"{_ADVICE}; of several arrays {name!r} is read"):
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            if name not in loaded.files:
                raise ValueError(f"it has no array {name!r}, only {', '.join(loaded.files)}")
            return loaded[name]
