"""Attributes: what the columns of a table say of its rows, learnt from a table."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from interpnet_tf.data.tables import Table

KINDS = ("weights", "number", "category", "boolean")
_YES = ("yes", "true", "1")
_NO = ("no", "false", "0")
# A column of more different texts than these holds names or prose.
_MOST_CATEGORIES = 50
_LARGEST = np.finfo("float64").max


@dataclasses.dataclass(frozen=True)
class Attribute:
    """One attribute of the rows of a table, and the values that it may have.

    Args:
        name: of the attribute.
        kind: of its columns: `"weights"`, one column a value, with the share of annotators who saw it;
            `"number"`, `"category"` or `"boolean"`, one column.
        values: which it may have. Those of a number are its levels, the lowest first.
        columns: of the table; one a value for weights, else one.
        thresholds: of a number, between its levels.
        reach: of a number, from where each level but the first is true, and up to where each but the last.
        scale: of weights: what certainty is, 1 or, in per cent, 100.
    """

    name: str
    kind: str
    values: tuple[str, ...]
    columns: tuple[str, ...]
    thresholds: tuple[float, ...] = ()
    reach: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    scale: float = 1.0

    @classmethod
    def from_config(cls, fields: Mapping[str, Any]) -> Attribute:
        """Makes an attribute of its fields, as JSON keeps them."""
        return cls(**{name: _tuples(value) for name, value in fields.items()})

    def weights(self, table: Table, clearly: bool = False) -> np.ndarray:
        """Returns how far each value is true of each row.

        Args:
            table: with the columns of this attribute; one that it lacks is missing.
            clearly: whether a number is of its own level only, and not of another that reaches so far.

        Returns:
            `(rows, values)`, 0..1; nan where the cell is missing.
        """
        rows = len(next(iter(table.values())))
        missing = np.full(rows, np.nan)
        columns = [table.get(name, missing) for name in self.columns]
        if self.kind == "weights":
            numbers = map(_numbers, self.columns, columns)
            return np.stack(list(numbers), axis=1) / self.scale
        if self.kind == "number":
            column = np.clip(_numbers(self.columns[0], columns[0]), -_LARGEST, _LARGEST)[:, None]
            lowest, highest = (self.thresholds, self.thresholds) if clearly else self.reach
            weights = (column >= (-math.inf, *lowest)) & (column < (*highest, math.inf))
            return np.where(np.isnan(column), np.nan, weights)
        found = self._values(columns[0])
        weights = (found[:, None] == np.arange(len(self.values))).astype("float64")
        weights[found < 0] = np.nan
        return weights

    def _values(self, column: np.ndarray) -> np.ndarray:
        """Returns the number of each cell's value, -1 where it is missing, their count where it is new."""
        number = {value: index for index, value in enumerate(self.values)}
        texts = _yes_and_no(column) if self.kind == "boolean" else _texts(column)
        return np.array([-1 if text is None else number.get(text, len(self.values)) for text in texts])


def learn(
    table: Table,
    kinds: Mapping[str, str] | str | None,
    quantiles: Sequence[float],
    levels: Sequence[str],
    leeway: float = 0.0,
) -> list[Attribute]:
    """Learns the attributes of a table.

    Columns `<attribute>::<value>` are weights. Other columns are numbers, booleans (`True` and `False`, yes
    and no, or the numbers 0 and 1) or categories. A column of one value only is passed over, and so are texts
    of which more than 50 differ.

    Args:
        table: the training part.
        kinds: of columns by name, or of all columns, where it is not what they look like.
        quantiles: where the levels of numbers part.
        levels: names of the levels.
        leeway: how far a level reaches into its neighbours, as a share of the training part in them.

    Raises:
        ValueError: if a kind is unknown or does not fit its column.
    """
    of_column = {name: _kind(name, column, kinds) for name, column in table.items()}
    weights = [name for name, kind in of_column.items() if kind == "weights"]
    scale = _scale({name: table[name] for name in weights})
    found: dict[str, Attribute] = {}
    for name, kind in of_column.items():
        attribute, _, value = name.partition("::")
        if kind == "weights" and value:
            before = found.get(attribute, Attribute(attribute, kind, (), (), scale=scale))
            found[attribute] = dataclasses.replace(
                before, values=(*before.values, value), columns=(*before.columns, name)
            )
        elif kind == "weights":
            found[name] = Attribute(name, kind, ("yes",), (name,), scale=scale)
        elif kind == "boolean":
            found[name] = Attribute(name, kind, ("yes", "no"), (name,))
        elif kind == "category":
            texts = sorted({text for text in _texts(table[name]) if text is not None})
            if 1 < len(texts) <= _MOST_CATEGORIES:
                found[name] = Attribute(name, kind, tuple(texts), (name,))
        elif kind == "number" and len(np.unique(table[name][np.isfinite(table[name])])) > 1:
            ranges = _thresholds(table[name], quantiles), _reach(table[name], quantiles, leeway)
            found[name] = Attribute(name, kind, tuple(levels), (name,), *ranges)
    return list(found.values())


def _thresholds(column: np.ndarray, quantiles: Sequence[float]) -> tuple[float, ...]:
    """Returns thresholds half-way between two numbers that occur, so that rows alike are of one level."""
    numbers = column[np.isfinite(column)]
    different = np.unique(numbers)
    at = np.searchsorted(different, np.quantile(numbers, quantiles, method="lower"))
    at = np.minimum(at, len(different) - 2)
    return tuple(((different[at] + different[at + 1]) / 2).tolist())


def _reach(
    column: np.ndarray, quantiles: Sequence[float], leeway: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns from where and up to where levels are true: in their range and a share of the next ones."""
    edges = np.array([0, *quantiles, 1])
    widths = np.diff(edges)
    return (
        _thresholds(column, (edges[1:-1] - leeway * widths[:-1]).clip(0)),
        _thresholds(column, (edges[1:-1] + leeway * widths[1:]).clip(max=1)),
    )


def _kind(name: str, column: np.ndarray, kinds: Mapping[str, str] | str | None) -> str:
    given = kinds if isinstance(kinds, str) else (kinds or {}).get(name)
    is_number = column.dtype.kind == "f"
    if given is not None:
        if given not in KINDS:
            raise ValueError(f"kinds must be of {', '.join(KINDS)}, got {given!r} for {name!r}")
        if given in ("weights", "number"):
            _numbers(name, column)
        return given
    if "::" in name and is_number:
        return "weights"
    known = {text for text in _texts(column) if text is not None}
    if known and {text.lower() for text in known} <= {*_YES, *_NO}:
        return "boolean"
    return "number" if is_number else "category"


def _scale(columns: Table) -> float:
    """Returns what certainty is in columns of weights: 1, or 100 where they are in per cent."""
    highest = 0.0
    for name, column in columns.items():
        known = column[~np.isnan(column)]
        wrong = known[(known < 0) | (known > 100)]
        if len(wrong):
            raise ValueError(
                f"weights must lie in 0..1, or in 0..100 per cent, got {wrong[0]} in column {name!r}"
            )
        highest = max(highest, known.max(initial=0))
    return 100.0 if highest > 1 else 1.0


def _tuples(value: Any) -> Any:
    """Returns a value from JSON with tuples for lists."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _numbers(name: str, column: np.ndarray) -> np.ndarray:
    """Returns a column of numbers, nan where a cell is missing."""
    if column.dtype.kind != "f":
        odd = next((cell for cell in column if cell is not None), None)
        if odd is not None:
            raise ValueError(f"column {name!r} must hold numbers, got {odd!r}")
    return np.asarray(column, "float64")


def _texts(column: np.ndarray) -> list[str | None]:
    """Returns cells as texts, numbers in one form: the column of a single row may be of another type."""
    return [None if cell is None else _text(cell) for cell in column.tolist()]


def _text(cell: Any) -> str | None:
    try:
        number = float(cell)
    except ValueError:
        return str(cell)
    if math.isnan(number):
        return None
    if isinstance(cell, bool) or math.isinf(number):
        return str(cell)
    return str(int(number)) if number.is_integer() else str(number)


def _yes_and_no(column: np.ndarray) -> list[str | None]:
    texts = [None if text is None else text.lower() for text in _texts(column)]
    return [
        None if text is None else "yes" if text in _YES else "no" if text in _NO else text for text in texts
    ]
