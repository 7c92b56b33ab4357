"""Columns of a table as arrays that a classifier reads, each under a name that an input may have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from interpnet_tf.data.tables import as_number, cells_by_column, known

KINDS = ("number", "category", "boolean")
_LARGEST = float(np.finfo("float32").max)
_BOOLEANS = {"true": True, "false": False}


def input_name(column: str) -> str:
    """Returns the name of the input that reads a column.

    It is the column's, but that what Keras, or a signature of TensorFlow, allows in no name becomes an
    underscore: all but letters without accents, digits, "_", "-" and ".".

    Raises:
        ValueError: if no letter or digit is left.

    Example:

    >>> input_name("od280/od315 of diluted wines")
    'od280_od315_of_diluted_wines'
    """
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", column)
    if not re.search("[A-Za-z0-9]", name):
        raise ValueError(f"column {column!r} has no letter from A to Z and no digit in its name; rename it")
    return name if name[0].isalnum() else f"column{name}"


def by_input(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Returns columns by the names of their inputs.

    Raises:
        ValueError: if two columns would have the same.
    """
    origin: dict[str, str] = {}
    for column in columns:
        if (name := input_name(column)) in origin:
            raise ValueError(
                f"the columns {origin[name]!r} and {column!r} would both be the input {name!r}; rename one"
            )
        origin[name] = column
    return {name: columns[column] for name, column in origin.items()}


def table_inputs(table: Any) -> dict[str, np.ndarray]:
    """Returns the columns of a DataFrame, or of a list of rows, as arrays by the names of their inputs.

    Args:
        table: see `tables.is_table`.

    Returns:
        For each column what `to_array` makes of it, of the kind that `kind_of` finds.
    """
    cells = by_input(cells_by_column(table))
    return {name: to_array(column, kind_of(column), name) for name, column in cells.items()}


def kind_of(cells: Iterable[Any]) -> str:
    """Finds out what a column holds.

    Returns:
        `"number"`: numbers, or true and false with missing cells; `"boolean"`: true and false; `"list"`:
        lists of numbers; else `"category"`.

    Example:

    >>> kind_of(["1.5", "", 2]), kind_of(["True", "False"]), kind_of(["True", ""]), kind_of(["red", 1])
    ('number', 'boolean', 'number', 'category')
    """
    cells = list(cells)
    if any(isinstance(cell, (list, tuple)) for cell in cells):
        return "list"
    values = [known(cell) for cell in cells]
    truths = [_truth(value) for value in values]
    if truths and None not in truths:
        return "boolean"
    are_numbers = all(
        truth is not None or as_number(value) is not None for value, truth in zip(values, truths, strict=True)
    )
    return "number" if are_numbers else "category"


def to_array(
    cells: Sequence[Any], kind: str, name: str, where: Callable[[int], str] | None = None
) -> np.ndarray:
    """Returns a column as an array.

    Args:
        cells: of a file, or Python's; a missing one is `None`, empty or nan.
        kind: see `kind_of`.
        name: of the column, for messages.
        where: tells of a row's number where it comes from, for messages.

    Returns:
        `(rows,)`: numbers as float32, NaN where a cell is missing; categories as texts (objects), `""` where
        it is missing; booleans. Of lists of numbers `(rows, longest)`, the shorter ones filled up with 0,
        int32 if all are whole numbers.

    Raises:
        ValueError: if a cell is of another kind, or not finite, or a boolean is missing.

    Example:

    >>> to_array(["14.2", None], "number", "alcohol"), to_array(["red", 7, ""], "category", "colour")
    (array([14.2,  nan], dtype=float32), array(['red', '7', ''], dtype=object))
    """

    def wrong(row: int, expected: str) -> ValueError:
        origin = where(row) if where else f"row {row}"
        return ValueError(f"{origin}: column {name!r} must hold {expected}, got {cells[row]!r:.80}")

    if kind == "list":
        return _padded(cells, wrong)
    array = np.empty(len(cells), {"number": "float32", "boolean": "bool"}.get(kind, object))
    for row, cell in enumerate(cells):
        if isinstance(cell, (list, tuple, dict)):
            raise wrong(row, f"one {kind} a row")
        value = known(cell)
        truth = _truth(value)
        if kind == "category":
            array[row] = _text(cell, value)
        elif kind == "boolean":
            if truth is None and value not in ("0", "1"):
                raise wrong(row, "true or false")
            array[row] = value == "1" if truth is None else truth
        else:
            number = as_number(value) if truth is None else float(truth)
            if number is None or abs(number) > _LARGEST:  # nan is not larger
                raise wrong(row, "finite numbers")
            array[row] = number
    return array


def _truth(value: Any) -> bool | None:
    """Returns the boolean that a known cell is or spells."""
    if isinstance(value, str):
        return _BOOLEANS.get(value.lower())
    return value


def _text(cell: Any, value: Any) -> str:
    """Returns a cell as text; a column of whole numbers, where one is missing, is one of floats in pandas."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if value is None else str(value)


def _padded(cells: Sequence[Any], wrong: Callable[[int, str], ValueError]) -> np.ndarray:
    for row, cell in enumerate(cells):
        is_list = isinstance(cell, (list, tuple)) and all(type(number) in (int, float) for number in cell)
        if not is_list or not np.isfinite(cell).all():
            raise wrong(row, "a list of finite numbers")
    whole = all(type(number) is int for cell in cells for number in cell)
    array = np.zeros((len(cells), max(map(len, cells))), "int32" if whole else "float32")
    for row, cell in enumerate(cells):
        array[row, : len(cell)] = cell
    return array
