"""An array on disk that is filled row by row, and can be gone on with after an interruption."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from interpnet_tf.atomic import write_atomically


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
        rows: the array, mapped into memory.

    Raises:
        ValueError: if the folder holds rows that depend on something else.

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
            found = json.loads(note.read_text("utf-8"))
            self.done = found.pop("done")
            if found != json.loads(json.dumps(self._note)):
                names = [key for key in {**found, **self._note} if found.get(key) != self._note.get(key)]
                raise ValueError(
                    f"{self.path} was begun with another {', '.join(names)}; go on with the same, or remove "
                    "that folder to begin anew"
                )
        self.path.mkdir(parents=True, exist_ok=True)
        mode = "r+" if self.done else "w+"
        self.rows = np.lib.format.open_memmap(self.path / "rows.npy", mode, np.dtype(dtype), shape)

    def append(self, rows: np.ndarray) -> None:
        """Writes the next rows."""
        self.rows[self.done : self.done + len(rows)] = rows
        self.rows.flush()
        self.done += len(rows)
        write_atomically(self.path / "state.json", json.dumps({**self._note, "done": self.done}) + "\n")

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.path)
