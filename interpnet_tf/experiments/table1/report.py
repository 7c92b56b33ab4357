"""The table as text, Markdown, CSV and JSON, from finished rows."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import itertools
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev
from typing import Any

from interpnet_tf.experiments.table1 import significance
from interpnet_tf.experiments.table1.columns import PARTS, Column
from interpnet_tf.experiments.table1.results import YARDSTICK, Result
from interpnet_tf.experiments.table1.rows import ROWS
from interpnet_tf.experiments.table1.settings import SETTINGS
from interpnet_tf.experiments.table1.significance import Comparison

# What the paper says is above what.
ORDER = (
    ("interpnet-2", "captioning"),
    ("interpnet-2", "interpnet-0"),
    ("interpnet-2-beam", "captioning-beam"),
    ("interpnet-2-beam", "interpnet-0-beam"),
    ("interpnet-2-transformer", "captioning-transformer"),
    ("interpnet-2-transformer", "interpnet-0-transformer"),
)
# What the discriminative loss is put on.
DISCRIMINATIVE = (
    ("gve", "gve-explanation-label"),
    ("gve-beam", "gve-explanation-label-beam"),
    ("gve-explanation-discriminative", "gve-description"),
    ("interpnet-2-discriminative", "interpnet-2"),
)
_FAITHFUL = "interpnet-2"
Table = list[list[str]]


class Report:
    """The table of the finished rows of one data set.

    Args:
        results: of the rows and of the yardsticks, one a row and seed.
    """

    def __init__(self, results: Sequence[Result]) -> None:
        by_row: dict[str, list[Result]] = {}
        for result in results:
            by_row.setdefault(result.row, []).append(result)
        places = {name: place for place, name in enumerate(ROWS)}
        names = sorted(by_row, key=lambda name: (places.get(name, len(places)), name))
        self.rows = {name: by_row[name] for name in names}
        self.material: dict[str, Any] = next(iter(results)).configuration["material"]

    @functools.cached_property
    def comparisons(self) -> list[Comparison]:
        """The paper's order, with and without the discriminative loss, every row and InterpNET_2."""
        asked = dict.fromkeys(itertools.product(ORDER, significance.ORDER_METRICS))
        asked |= dict.fromkeys(itertools.product(DISCRIMINATIVE, significance.CLASS_METRICS))
        others = [(name, _FAITHFUL) for name in self.rows if name != _FAITHFUL]
        asked |= dict.fromkeys(itertools.product(others, significance.ORDER_METRICS))
        compared = [
            significance.compare(self._of_each_seed(row, other), self.rows[other], metric)
            for (row, other), metric in asked
            if row in self.rows and other in self.rows
        ]
        return [comparison for comparison in compared if comparison is not None]

    def _of_each_seed(self, name: str, other: str) -> list[Result]:
        """Returns a row's results; those of a yardstick, which has no seed, for each seed of the other."""
        if not name.startswith(YARDSTICK):
            return self.rows[name]
        return [dataclasses.replace(self.rows[name][0], seed=result.seed) for result in self.rows[other]]

    def values(self, name: str, column: Column) -> list[float]:
        """Returns a row's figures in a column, one a seed, in the unit of print."""
        figures = [result.columns.get(column.key) for result in self.rows[name]]
        return [column.scale * figure for figure in figures if figure is not None]

    def text(self) -> str:
        """Returns the table for a terminal."""
        return self._document(_aligned, lambda heading: f"\n{heading}")

    def markdown(self) -> str:
        """Returns the table in Markdown."""
        return self._document(_piped, lambda heading: f"\n### {heading}\n") + "\n"

    def csv(self) -> str:
        """Returns every column of every row: mean, standard deviation over seeds, and the paper's figure."""
        columns = [column for part in PARTS.values() for column in part]
        keys = [(column.key, f"{column.key}_sd", f"{column.key}_paper") for column in columns]
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["row", "seeds", *itertools.chain(*keys)])
        for name, results in self.rows.items():
            cells: list[Any] = []
            for column in columns:
                values = self.values(name, column)
                cells.append(f"{fmean(values):.4f}" if values else "")
                cells.append(f"{stdev(values):.4f}" if len(values) > 1 else "")
                cells.append(_paper(name).get(column.key, ""))
            writer.writerow([name, len(results), *cells])
        return file.getvalue()

    def summary(self) -> dict[str, Any]:
        """Returns data, rows and comparisons as plain values."""
        columns = [column for part in PARTS.values() for column in part]
        return {
            "material": self.material,
            "rows": {
                name: {"seeds": [result.seed for result in results]}
                | {column.key: self.values(name, column) for column in columns if self.values(name, column)}
                for name, results in self.rows.items()
            },
            "comparisons": [
                {**dataclasses.asdict(comparison), "above_by_two_deviations": comparison.above}
                for comparison in self.comparisons
            ],
        }

    def _answers(self, pairs: Sequence[tuple[str, str]], metrics: Iterable[str]) -> list[Comparison]:
        return [c for c in self.comparisons if (c.row, c.other) in pairs and c.metric in metrics]

    def _document(self, render: Any, heading: Any) -> str:
        lines = [title(self.material), *(f"- {line}" for line in protocol(self.material))]
        for part, columns in PARTS.items():
            if table := self._table(columns):
                lines += [heading(part), render(table)]
        for question, pairs in {
            "Is the paper's order there?": (ORDER, significance.ORDER_METRICS),
            "Does the discriminative loss tell classes apart?": (DISCRIMINATIVE, significance.CLASS_METRICS),
        }.items():
            if answers := self._answers(*pairs):
                lines += [heading(question), render(_order_table(answers))]
        against = [
            c for c in self.comparisons if c.other == _FAITHFUL and c.metric in significance.ORDER_METRICS
        ]
        if against:
            lines += [heading(f"every row less {_title(_FAITHFUL)}"), render(_difference_table(against))]
        lines += ["", _MEANING] if self.comparisons else []
        return "\n".join(lines)

    def _table(self, columns: Sequence[Column]) -> Table:
        """Returns header and rows of the columns that any row has, the paper's figures beside ours."""
        filled = [column for column in columns if any(self.values(name, column) for name in self.rows)]
        if not filled:
            return []
        with_paper = {
            column.key for column in filled if any(column.key in _paper(name) for name in self.rows)
        }
        header = ["", "seeds"]
        for column in filled:
            header += [column.header, *(["paper"] if column.key in with_paper else [])]
        table = [header]
        for name, results in self.rows.items():
            cells = [_title(name), str(len(results)) if name in ROWS else ""]
            for column in filled:
                cells.append(_cell(self.values(name, column), column.digits))
                if column.key in with_paper:
                    figure = _paper(name).get(column.key)
                    cells.append("" if figure is None else f"{figure:.1f}")
            table.append(cells)
        return table


def title(material: dict[str, Any]) -> str:
    """Returns the heading of the table."""
    return f"Table 1 on {SETTINGS[material['data']].title}; mean ± standard deviation over seeds"


def protocol(material: dict[str, Any]) -> list[str]:
    """Returns in what our figures differ from the paper's, which stand beside them."""
    sentences, judged = material["classes_explained"], material["explained"]["test"]
    return [
        f"examples: ours {SETTINGS[material['data']].examples}; the paper's photographs of CUB-200-2011",
        f"sentences: ours for {sentences} classes ({judged} test examples, 'judged'); the paper's for 200",
        f"input x: ours {_input(material)}; the paper's compact bilinear features, 8192 numbers",
        "references: the paper scored InterpNET with 10, Generating Visual Explanations with 5",
        "accuracy: over all test examples, as in the paper; 'judged': over those with sentences",
    ]


_MEANING = (
    "Differences are of the means, positive where the row named first is better; deviations: the difference "
    "in standard deviations over seeds, pooled; p: two-sided paired bootstrap over test examples."
)


def _input(material: dict[str, Any]) -> str:
    size = " x ".join(map(str, material["input_shape"]))
    return f"{material['features']}, {size} numbers" if material["features"] else f"pictures, {size}"


def _order_table(comparisons: Sequence[Comparison]) -> Table:
    table = [["", "metric", "difference", "deviations", "p", "seeds", "above by two deviations"]]
    for c in comparisons:
        deviations = "n/a" if c.deviations is None else f"{c.deviations:+.1f}"
        above = {None: "n/a", True: "yes", False: "no"}[c.above]
        table.append(
            [
                f"{_title(c.row)} over {_title(c.other)}",
                significance.METRICS[c.metric],
                f"{c.difference:+.2f}",
                deviations,
                f"{c.p_value:.4f}",
                str(c.seeds),
                above,
            ]
        )
    return table


def _difference_table(comparisons: Sequence[Comparison]) -> Table:
    by_row: dict[str, dict[str, Comparison]] = {}
    for c in comparisons:
        by_row.setdefault(c.row, {})[c.metric] = c
    metrics = [metric for metric in significance.METRICS if any(metric in cells for cells in by_row.values())]
    table = [["", *itertools.chain(*((significance.METRICS[metric], "p") for metric in metrics))]]
    for row, cells in by_row.items():
        shown = [
            (f"{cells[metric].difference:+.2f}", f"{cells[metric].p_value:.4f}")
            if metric in cells
            else ("", "")
            for metric in metrics
        ]
        table.append([_title(row), *itertools.chain(*shown)])
    return table


def _title(name: str) -> str:
    return ROWS[name].title if name in ROWS else name.removeprefix(YARDSTICK).replace("_", " ")


def _paper(name: str) -> dict[str, float]:
    return dict(ROWS[name].paper) if name in ROWS else {}


def _cell(values: Sequence[float], digits: int) -> str:
    if not values:
        return "n/a"
    deviation = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values):.{digits}f}{deviation}"


def _aligned(table: Table) -> str:
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    return "\n".join(
        "  ".join([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])]).rstrip()
        for name, *cells in table
    )


def _piped(table: Table) -> str:
    header, *rows = table
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
