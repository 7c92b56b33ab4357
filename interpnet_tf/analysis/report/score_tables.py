"""The scores of a run as tables of HTML."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from interpnet_tf.metrics.table import header_of
from interpnet_tf.support.marked_words import table_html

_SHOWN = ("meteor", "bleu_4", "cider_d", "rouge_l")


@dataclasses.dataclass(frozen=True)
class ScoreTable:
    """A table: its title, and its HTML."""

    title: str
    html: Markup


def score_tables(scores: Mapping[str, Any]) -> list[ScoreTable]:
    """Returns a table for each number of references, and one of facts where the truth is known.

    Args:
        scores: as `evaluation.evaluate` returns them.
    """
    rows = scores["rows"]
    tables = []
    for count in next(iter(rows.values())):
        columns = [name for name in _SHOWN if any(name in of_row[count] for of_row in rows.values())]
        title = f"Against {count} sentences of people"
        tables.append(_table(title, {name: of_row[count] for name, of_row in rows.items()}, columns))
    if "facts" in scores:
        columns = list(next(iter(scores["facts"].values())))
        tables.append(_table("What is said, against the truth", scores["facts"], columns))
    return tables


def percent(value: float | None) -> str:
    """Returns a share as text, in per cent.

    Example:

    >>> percent(0.1234), percent(None), percent(float("nan"))
    ('12.3', 'n/a', 'n/a')
    """
    return "n/a" if value is None or math.isnan(value) else f"{100 * value:.1f}"


def _table(title: str, rows: Mapping[str, Mapping[str, Any]], columns: list[str]) -> ScoreTable:
    cells = [[percent(of_row.get(name)) for name in columns] for of_row in rows.values()]
    headers = [header_of(name).replace("_", " ") for name in columns]
    return ScoreTable(title, Markup(table_html(list(rows), headers, cells)))
