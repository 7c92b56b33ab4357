"""Tables: columns by name, from whatever form they come in."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from interpnet_tf.language.text import clean_name

Table = dict[str, np.ndarray]
# What stands for a missing cell in a file, or in pandas, whatever its case.
_MISSING = ("", "nan", "none", "null", "<na>", "nat")


def is_table(x: Any) -> bool:
    """Whether `x` is a pandas DataFrame or the like, or a list of mappings, one a row."""
    if isinstance(x, (list, tuple)):
        return bool(x) and all(isinstance(row, Mapping) for row in x)
    return hasattr(x, "columns") and hasattr(x, "iloc")


def cells_by_column(table: Any) -> dict[str, Any]:
    """Returns the cells of what `is_table` is true of, just as they are, by the column's name.

    A row that lacks a column has `None` there.
    """
    if hasattr(table, "columns"):
        return {str(name): table[name].tolist() for name in table.columns}
    names = dict.fromkeys(name for row in table for name in row)
    return {str(name): [row.get(name) for row in table] for name in names}


def as_table(table: Any, names: Sequence[str] | None = None) -> Table:
    """Returns the columns of a table by name.

    Args:
        table: a mapping from names to columns, a pandas DataFrame or the like, a list of mappings, one a row,
            or an array `(rows, columns)`.
        names: of the columns of an array.

    Returns:
        A dict of arrays `(rows,)`: float64 where every cell is a number, or missing; else of objects, texts
        where they are neither missing (`None`) nor `True` or `False`.

    Raises:
        ValueError: if it is of another form, or the columns differ in length.

    Example:

    >>> as_table([{"alcohol": "14.2", "colour": "red"}, {"alcohol": "", "colour": "white"}])
    {'alcohol': array([14.2,  nan]), 'colour': array(['red', 'white'], dtype=object)}
    """
    if is_table(table):
        columns = cells_by_column(table)
    elif isinstance(table, Mapping):
        columns = {str(name): column for name, column in table.items()}
    else:
        array = np.asarray(table)
        if array.ndim != 2 or names is None or len(names) != array.shape[1]:
            raise ValueError(
                "table must be a dict of columns, a DataFrame, a list of rows, or an array (rows, columns) "
                f"with one name a column, got {type(table).__name__} of shape {array.shape} and "
                f"{'no names' if names is None else f'{len(names)} names'}"
            )
        columns = dict(zip(map(str, names), array.T, strict=True))
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"table must have columns of one length, got {lengths or 'no column'}")
    return {name: _column(column) for name, column in columns.items()}


def read_csv(path: str | os.PathLike) -> Table:
    """Reads a CSV file as a table, see `read_rows`."""
    return as_table(read_rows(path))


def read_rows(path: str | os.PathLike) -> list[dict[str, str]]:
    """Reads the rows of a CSV file with a header, in UTF-8, cells as they are.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such table; the message begins with file and line number.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name}: not UTF-8 text ({error}); save the file as UTF-8") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    cells: list[list[str]] = []
    try:
        header = [clean_name(name) for name in next(rows, [])]
        if not header or not all(header[1:]) or len(set(header)) != len(header):
            raise ValueError(f"{path.name}:1: needs a header, one different name a column, has {header}")
        for row in rows:
            if row and len(row) != len(header):
                raise ValueError(
                    f"{path.name}:{rows.line_num}: {len(row)} cells for the {len(header)} columns; put a "
                    "cell that contains a comma in double quotes"
                )
            cells += [row] if row else []
    except csv.Error as error:
        raise ValueError(f"{path.name}:{rows.line_num}: not valid CSV: {error}") from error
    if not cells:
        raise ValueError(f"{path.name} holds no row")
    # A column without a name is the index that pandas writes.
    return [{name: cell for name, cell in zip(header, row, strict=True) if name} for row in cells]


def _column(cells: Any) -> np.ndarray:
    array = np.asarray(cells)
    if array.dtype.kind in "iuf":
        return array.astype("float64")
    values = [known(cell) for cell in array.tolist()]
    numbers = [as_number(value) for value in values]
    if all(number is not None for number in numbers):
        return np.array(numbers, "float64")
    column = np.empty(len(values), object)
    column[:] = values
    return column


def known(cell: Any) -> Any:
    """Returns the text of a cell, or the boolean that it is; `None` where it is missing."""
    if cell is None or isinstance(cell, bool):
        return cell
    text = str(cell).strip()
    return None if text.lower() in _MISSING else text


def as_number(value: Any) -> float | None:
    """Returns the number of what `known` returned, nan where it is missing; `None` if it is none."""
    if value is None:
        return float("nan")
    try:
        return None if isinstance(value, bool) else float(value)
    except ValueError:
        return None
