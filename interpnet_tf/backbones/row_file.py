"""An array on disk that is filled row by row, and can be gone on with after an interruption."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.errors import reading
from interpnet_tf.support.json_files import read_record


class RowFile:
    """An array that grows on disk, with a note of what it holds and how far it is.

    It is a folder: `rows.npy`, of full size from the start, and `state.json`. Rows count as written only
    when the note says so, which is replaced as a whole; a kill at any moment loses the newest rows at most.

    Args:
        path: of the folder; an existing one is gone on with.
        shape: of the whole array, rows first.
        dtype: of its numbers.
        settings: what the rows depend on, in terms of JSON.

    Attributes:
        done: how many rows are written.
        rows: the array, mapped into memory for reading.

    Raises:
        OSError: if there is no space for the whole array.
        ValueError: if the folder holds rows that depend on something else, or is damaged.

    Example:

    >>> file = RowFile("partial", (3, 2), "float16", {"size": 64})
    >>> file.append(np.ones((2, 2)))
    >>> RowFile("partial", (3, 2), "float16", {"size": 64}).done
    2
    """

    def __init__(
        self, path: str | os.PathLike, shape: tuple[int, ...], dtype: str, settings: dict[str, Any]
    ) -> None:
        self.path = Path(path)
        self._note = {"shape": list(shape), "dtype": dtype, **settings}
        self.done = 0
        note = self.path / "state.json"
        if note.is_file():
            found = read_record(note, "the note of an array", self._advice)
            self.done = found.pop("done", None)
            if found != json.loads(json.dumps(self._note)):
                names = [key for key in {**found, **self._note} if found.get(key) != self._note.get(key)]
                raise ValueError(
                    f"{self.path} was begun with another {', '.join(names)}; go on with the same, or remove "
                    "that folder to begin anew"
                )
        self._file = self.path / "rows.npy"
        if self.done == 0:
            self._begin(shape, dtype)
        with reading(self._file, f"an array whose first {self.done} rows are written", self._advice):
            self.rows = np.lib.format.open_memmap(self._file, "r")
            if (self.rows.shape, self.rows.dtype) != (tuple(shape), np.dtype(dtype)):
                raise ValueError(f"it holds {self.rows.dtype} {self.rows.shape}")
            if self.done not in range(1 + len(self.rows)):
                raise ValueError("its note says so, and it has other rows")

    @property
    def _advice(self) -> str:
        return f"remove {self.path} to begin anew"

    def _begin(self, shape: tuple[int, ...], dtype: str) -> None:
        """Makes a file of full size, if there is space for it."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            np.lib.format.open_memmap(self._file, "w+", np.dtype(dtype), tuple(shape))
            if hasattr(os, "posix_fallocate"):  # not on macOS
                with self._file.open("r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, self._file.stat().st_size)
        except OSError as error:
            self._file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # it holds something else
                self.path.rmdir()
            raise OSError(
                error.errno, f"no space for {math.prod(shape)} numbers in {self.path}: {error.strerror}"
            ) from error

    def append(self, rows: np.ndarray) -> None:
        """Writes the next rows.

        Raises:
            OSError: if they cannot be written; those before are kept.
        """
        content = np.ascontiguousarray(rows, self.rows.dtype).tobytes()
        # Not through the map: on a full disk that would end the process with a signal.
        with self._file.open("r+b") as file:
            file.seek(self.rows.offset + self.done * (self.rows.nbytes // len(self.rows)))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self.done += len(rows)
        write_atomically(self.path / "state.json", json.dumps({**self._note, "done": self.done}) + "\n")

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.path)
