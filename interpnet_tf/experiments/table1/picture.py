"""The table as a picture."""

from __future__ import annotations

import os
from statistics import fmean, stdev

from interpnet_tf.experiments.table1.columns import PARTS
from interpnet_tf.experiments.table1.report import Report, title
from interpnet_tf.experiments.table1.results import YARDSTICK
from interpnet_tf.experiments.table1.rows import ROWS
from interpnet_tf.support.atomic import replacing

_SHOWN = ("meteor_10", "bleu_4_10", "cider_d_10", "read_back_species", "class_rank", "distinct_sentences")
_LINES = {"yardstick-constant": "#a02020", "yardstick-human": "#205080"}


def save(report: Report, path: str | os.PathLike) -> None:
    """Draws a bar for each row in the columns that tell most, and the yardsticks as lines; writes a PNG.

    Args:
        report: whose rows to draw.
        path: of the PNG, which appears complete or not at all.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    by_key = {column.key: column for part in PARTS.values() for column in part}
    rows = [name for name in report.rows if name in ROWS][::-1]
    figure = Figure(figsize=(16, 2.5 + 0.6 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title(report.material))
    axes = figure.subplots(2, 3, sharey=True).ravel()
    for axis, key in zip(axes, _SHOWN, strict=True):
        column = by_key[key]
        values = {name: of_one for name in rows if (of_one := report.values(name, column))}
        axis.barh(
            [rows.index(name) for name in values],
            [fmean(of_one) for of_one in values.values()],
            xerr=[stdev(of_one) if len(of_one) > 1 else 0 for of_one in values.values()],
            color="#8aa8c0",
        )
        for name in values:
            if key in ROWS[name].paper:
                axis.plot(ROWS[name].paper[key], rows.index(name), "D", color="#303030", markersize=4)
        for yardstick, color in _LINES.items():
            if yardstick in report.rows and (of_one := report.values(yardstick, column)):
                axis.axvline(fmean(of_one), color=color, linestyle="--")
        axis.set_title(column.header)
        axis.set_yticks(range(len(rows)), [ROWS[name].title for name in rows])
    figure.legend(
        handles=[
            Line2D([], [], color="#303030", marker="D", markersize=4, linestyle="", label="paper"),
            *(
                Line2D([], [], color=color, linestyle="--", label=_title(name))
                for name, color in _LINES.items()
            ),
        ],
        loc="outside lower center",
        ncols=1 + len(_LINES),
    )
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def _title(yardstick: str) -> str:
    return yardstick.removeprefix(YARDSTICK).replace("_", " ")
