"""Is one row above another? Differences in standard deviations over seeds, and a paired bootstrap."""

from __future__ import annotations

import dataclasses
import math
from statistics import fmean, stdev

import numpy as np

from interpnet_tf.experiments.table1.results import Result

# What the paper's order is tested in, and the per-example scores that are kept for it.
ORDER_METRICS = {"meteor": "METEOR", "cider_d": "CIDEr-D", "read_back_species": "read-back"}
METRICS = {**ORDER_METRICS, "class_similarity": "class similarity", "class_rank": "class rank"}
_LOWER_IS_BETTER = ("class_rank",)
_UNIT = {"class_rank": 1}
_CHUNK = 500


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


def paired_bootstrap(differences: np.ndarray, resamples: int = 10_000, seed: int = 0) -> float:
    """Computes the two-sided p-value of a mean difference of zero, over resampled examples.

    Args:
        differences: of each example, the score of one row less that of the other, `(examples,)`.
        resamples: how often the examples are drawn anew, with replacement.
        seed: of the draws.

    Returns:
        Twice the share of resamples whose mean lies on the other side of zero, at least
        `2 / (resamples + 1)` and at most 1.

    Example:

    >>> paired_bootstrap(np.array([0.1, 0.2, 0.3, 0.2] * 10), resamples=999)
    0.002
    >>> paired_bootstrap(np.zeros(10))
    1.0

    References:
        - [Efron and Tibshirani, 1993: An Introduction to the Bootstrap], chapter 16
        - [Koehn, 2004](https://aclanthology.org/W04-3250), section 4
    """
    differences = np.asarray(differences, "float64")
    examples = len(differences)
    random = np.random.default_rng(seed)
    below = above = 0
    for begin in range(0, resamples, _CHUNK):
        rows = random.integers(examples, size=(min(_CHUNK, resamples - begin), examples))
        means = differences[rows].mean(axis=1)
        # Sums of the same numbers in another order may differ from zero by rounding.
        means[np.isclose(means, 0, atol=1e-12)] = 0
        below += int((means <= 0).sum())
        above += int((means >= 0).sum())
    return min(1.0, 2 * (1 + min(below, above)) / (resamples + 1))


def compare(row: list[Result], other: list[Result], metric: str) -> Comparison | None:
    """Compares two rows in one metric.

    Args:
        row, other: the results of each, one a seed.
        metric: a key of `METRICS`.

    Returns:
        The comparison over the seeds that both rows have, `None` if there is none or a row lacks the metric.
    """
    seeds = sorted({result.seed for result in row} & {result.seed for result in other})
    scores = []
    for results in (row, other):
        arrays = [result.per_example.get(metric) for result in results if result.seed in seeds]
        if not arrays or any(array is None for array in arrays):
            return None
        scores.append(np.array(arrays, "float64"))
    sign = -1 if metric in _LOWER_IS_BETTER else 1
    scale = _UNIT.get(metric, 100)
    row_scores, other_scores = scores
    judged = ~np.isnan(row_scores).any(axis=0) & ~np.isnan(other_scores).any(axis=0)
    means = [scale * np.nanmean(of_row, axis=1) for of_row in scores]
    deviation = None
    if len(seeds) > 1:
        deviation = math.sqrt(fmean(stdev(of_row.tolist()) ** 2 for of_row in means))
    differences = sign * (row_scores.mean(axis=0) - other_scores.mean(axis=0))[judged]
    return Comparison(
        row[0].row,
        other[0].row,
        metric,
        float(sign * (means[0].mean() - means[1].mean())),
        deviation,
        paired_bootstrap(differences),
        len(seeds),
    )
