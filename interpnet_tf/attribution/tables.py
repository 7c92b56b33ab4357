"""How attributions are printed, and how a word of one is named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def signed_table(rows: Sequence[str], columns: Sequence[str], values: np.ndarray) -> str:
    """Returns numbers with their signs as text, a line for each row.

    Args:
        rows: titles of the rows.
        columns: titles of the columns.
        values: `(rows, columns)`.
    """
    first = max(map(len, rows), default=0)
    cells = [[f"{value:+.2f}" for value in row] for row in values]
    widths = [max(len(title), *(len(row[place]) for row in cells), 5) for place, title in enumerate(columns)]
    lines = [
        [" " * first, *columns],
        *([title.ljust(first), *row] for title, row in zip(rows, cells, strict=True)),
    ]
    return "\n".join(
        "  ".join([title, *(cell.rjust(width) for cell, width in zip(row, widths, strict=True))])
        for title, *row in lines
    )


def place_of(name: str, value: int | str, choices: Sequence[str]) -> int:
    """Returns the place of a word or layer that a user names, by its number or as text.

    Raises:
        ValueError: naming the argument `name`, if there is none such.
    """
    if isinstance(value, str) and value in choices:
        return list(choices).index(value)
    if (
        isinstance(value, (int, np.integer))
        and not isinstance(value, bool)
        and -len(choices) <= value < len(choices)
    ):
        return int(value) % len(choices)
    raise ValueError(f"{name} must be one of {list(choices)} or its number from 0, got {value!r}")
