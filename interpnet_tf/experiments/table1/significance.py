"""Is one row above another? Differences in standard deviations over seeds, and a paired bootstrap."""

from __future__ import annotations

import dataclasses
import math
from statistics import fmean, stdev

import numpy as np

from interpnet_tf.experiments.table1.results import Result
from interpnet_tf.metrics.bootstrap import paired_bootstrap

# What the paper's order is tested in, and the per-example scores that are kept for it.
ORDER_METRICS = {
    "meteor": "METEOR",
    "cider_d": "CIDEr-D",
    "read_back_species": "read-back",
    "read_back_held_out": "read-back, held out",
}
CLASS_METRICS = {"class_similarity": "class similarity", "class_rank": "class rank"}
METRICS = ORDER_METRICS | CLASS_METRICS
_LOWER_IS_BETTER = ("class_rank",)
_UNIT = {"class_rank": 1}
# Enough for p < 0.01, and quick enough for the hundred comparisons of a table.
SAMPLES = 5000


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One row against another in one metric.

    Args:
        row, other: names of the rows.
        metric: a key of `METRICS`.
        difference: mean of `row` less that of `other`, as tables print it; of a rank, where less is better,
            the reverse: a positive difference always says that `row` is better.
        deviation: standard deviation over seeds, pooled over both rows; `None` with less than two seeds.
        p_value: two-sided, of the paired bootstrap over test examples.
        seeds: how many each row has.
    """

    row: str
    other: str
    metric: str
    difference: float
    deviation: float | None
    p_value: float
    seeds: int

    @property
    def deviations(self) -> float | None:
        """The difference in standard deviations."""
        return self.difference / self.deviation if self.deviation else None

    @property
    def above(self) -> bool | None:
        """Whether `row` is above by more than two standard deviations; `None` if that cannot be said."""
        return None if self.deviations is None else self.deviations > 2


def compare(row: list[Result], other: list[Result], metric: str) -> Comparison | None:
    """Compares two rows in one metric.

    Args:
        row, other: the results of each, one a seed.
        metric: a key of `METRICS`.

    Returns:
        The comparison over the seeds that both rows have and the examples that have a score in all of them,
        `None` if there is none or a row lacks the metric.
    """
    seeds = sorted({result.seed for result in row} & {result.seed for result in other})
    by_seed = [
        {result.seed: result.per_example.get(metric) for result in results} for results in (row, other)
    ]
    scores = [[of_row[seed] for seed in seeds] for of_row in by_seed]
    if not seeds or any(of_seed is None for of_row in scores for of_seed in of_row):
        return None
    arrays = np.array(scores, "float64")
    arrays = arrays[:, :, ~np.isnan(arrays).any(axis=(0, 1))]
    if not arrays.size:
        return None
    means = _UNIT.get(metric, 100) * arrays.mean(axis=2)
    sign = -1 if metric in _LOWER_IS_BETTER else 1
    deviation = None
    if len(seeds) > 1:
        deviation = math.sqrt(fmean(stdev(of_row) ** 2 for of_row in means.tolist()))
    return Comparison(
        row[0].row,
        other[0].row,
        metric,
        float(sign * (means[0].mean() - means[1].mean())),
        deviation,
        paired_bootstrap(*arrays.mean(axis=1), samples=SAMPLES).p_value,
        len(seeds),
    )
