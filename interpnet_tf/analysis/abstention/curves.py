"""What a confidence is worth: risk against coverage, and confidence against what came true."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class RiskCoverage(NamedTuple):
    """How often one is wrong when one speaks only where the confidence is highest.

    Attributes:
        coverage: the share of the examples that are spoken of, rising to 1, `(examples,)`.
        risk: the share of these that are wrong, `(examples,)`.
        confidence: the least confidence among them, `(examples,)`.
    """

    coverage: np.ndarray
    risk: np.ndarray
    confidence: np.ndarray

    @property
    def area(self) -> float:
        """The mean risk over all coverages; the share of all that is wrong, if the confidence tells nothing.

        References:
        - [Geifman & El-Yaniv 2017](https://arxiv.org/abs/1705.08500), selective classification
        """
        return float(self.risk.mean())


class Calibration(NamedTuple):
    """How often what was said with some confidence came true, in bins of equal width.

    Attributes:
        confidence: its mean in each bin, `(bins,)`; NaN in an empty one.
        true: the share that is true in each bin, `(bins,)`; NaN in an empty one.
        count: how many examples each bin holds, `(bins,)`.
    """

    confidence: np.ndarray
    true: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error: the mean of |confidence - true|, each bin by its examples.

        It is 0 at best. A confidence that is the same for all examples has none either and is of no use: read
        it beside the area under risk and coverage. With few examples it is above 0 by chance.

        References:
        - [Guo et al. 2017, section 2](https://arxiv.org/abs/1706.04599)
        """
        return float(np.nansum(np.abs(self.confidence - self.true) * self.count) / self.count.sum())


def risk_coverage(confidences: Any, true: Any) -> RiskCoverage:
    """Returns the risk at every coverage: of the example with the highest confidence, of the first two, ….

    Among examples of the same confidence none is the first: each counts as wrong as all of them are on the
    mean.

    Args:
        confidences: of the examples, `(examples,)`.
        true: whether each is true, bool or 0 and 1, `(examples,)`.

    Returns:
        A `RiskCoverage`.

    Raises:
        ValueError: if the two do not fit together, or there is no example.

    Example:

    >>> curve = risk_coverage([0.9, 0.8, 0.6, 0.3], [True, True, False, True])
    >>> curve.risk.round(2).tolist(), round(curve.area, 2)
    ([0.0, 0.0, 0.33, 0.25], 0.15)
    """
    confidences, true = _checked(confidences, true)
    _, group, counts = np.unique(-confidences, return_inverse=True, return_counts=True)
    wrong = (np.bincount(group, 1 - true) / counts)[np.sort(group)]
    places = np.arange(1, len(wrong) + 1)
    return RiskCoverage(places / len(wrong), np.cumsum(wrong) / places, -np.sort(-confidences))


def calibration(confidences: Any, true: Any, bins: int = 10) -> Calibration:
    """Compares confidences with what came true, in bins of equal width from 0 to 1.

    Args:
        confidences: of the examples, between 0 and 1, `(examples,)`.
        true: whether each is true, bool or 0 and 1, `(examples,)`.
        bins: how many.

    Returns:
        A `Calibration`.

    Raises:
        ValueError: if the two do not fit together, there is no example, or an argument is out of its range.

    Example:

    >>> found = calibration([0.95, 0.95, 0.65], [True, False, True])
    >>> found.count.tolist(), round(found.error, 3)
    ([0, 0, 0, 0, 0, 0, 1, 0, 0, 2], 0.417)
    """
    confidences, true = _checked(confidences, true)
    if bins < 1 or confidences.min() < 0 or confidences.max() > 1:
        raise ValueError(
            f"bins must be at least 1 and confidences between 0 and 1, got {bins} and "
            f"{confidences.min()}..{confidences.max()}"
        )
    of_bin = np.minimum((confidences * bins).astype("int64"), bins - 1)
    count = np.bincount(of_bin, minlength=bins)
    sums = [np.bincount(of_bin, values, minlength=bins) for values in (confidences, true)]
    empty = np.full(bins, np.nan)
    means = [np.divide(total, count, out=empty.copy(), where=count > 0) for total in sums]
    return Calibration(*means, count)


def _checked(confidences: Any, true: Any) -> tuple[np.ndarray, np.ndarray]:
    confidences, true = np.asarray(confidences, "float64"), np.asarray(true, "float64")
    if confidences.ndim != 1 or confidences.shape != true.shape or not len(true):
        raise ValueError(
            "confidences and true must hold a number for each of one example or more, (examples,), got "
            f"{confidences.shape} and {true.shape}"
        )
    if not np.isfinite(confidences).all() or not np.isin(true, (0, 1)).all():
        raise ValueError("confidences must be finite, and true must hold truth values, or 0 and 1, only")
    return confidences, true
