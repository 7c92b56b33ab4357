"""Bootstrap: is it the system, or was it the choice of test images?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from interpnet_tf.metrics.bleu import bleu_of_counts

_BLOCK = 2**22  # drawn scores held in memory at a time


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `paired_bootstrap` found.

    Attributes:
        difference: statistic of `a` minus that of `b`, on the examples as they are.
        low: lower end of the confidence interval of the difference.
        high: upper end.
        p_value: of the hypothesis that the two do not differ, two-sided.
    """

    difference: float
    low: float
    high: float
    p_value: float


def mean(scores: np.ndarray) -> np.ndarray:
    """The mean over the last axis."""
    return scores.mean(axis=-1)


def bleu_4(counts: np.ndarray) -> np.ndarray:
    """BLEU-4 of `bleu_counts`, `(samples, 10, examples)`."""
    return bleu_of_counts(counts.sum(axis=-1))[..., 3]


def paired_bootstrap(
    a: np.ndarray,
    b: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray] = mean,
    samples: int = 10000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Comparison:
    """Compares two systems on the same examples by drawing those anew, with replacement.

    Both systems get the same drawn examples, so that what makes an example hard for both cancels. CIDEr,
    CIDEr-D, ROUGE-L and METEOR as it is used here are means of their scores of examples, and so is every
    share. BLEU is not, but one of sums of counts: give the `bleu_counts` of both and `bleu_4` as statistic.

    Args:
        a: scores of the first system, `(examples,)`, or several numbers an example, `(examples, numbers)`.
        b: scores of the second, of the same shape and examples.
        statistic: what is compared: takes drawn scores, `(samples, examples)` or `(samples, numbers,
            examples)`, and gives `(samples,)`.
        samples: how many times the examples are drawn.
        seed: of the draws.
        confidence: share of the draws inside the interval.

    Returns:
        A `Comparison`. The interval is that of percentiles. The p-value is twice the share of draws in
        which the difference has not the sign found, those without a difference counting for both, the
        undrawn examples counted as one more draw: at least 2 / (samples + 1), at most 1.

    Raises:
        ValueError: if the shapes differ, there is no example, or a score is not finite.

    Example:

    >>> paired_bootstrap(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 2.0, 3.0]), samples=999)
    Comparison(difference=1.0, low=1.0, high=1.0, p_value=0.002)

    References:

    - [Koehn, 2004](https://aclanthology.org/W04-3250), section 4
    - [Davison and Hinkley, 1997: Bootstrap Methods and their Application](
      https://doi.org/10.1017/CBO9780511802843), sections 4.4 and 5.3
    """
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    if a.shape != b.shape or a.ndim not in (1, 2) or not len(a):
        raise ValueError(
            "a and b must be scores of the same examples, (examples,) or (examples, numbers), "
            f"got {a.shape} and {b.shape}"
        )
    for name, scores in (("a", a), ("b", b)):
        if not np.isfinite(scores).all():
            raise ValueError(
                f"{name} holds {np.count_nonzero(~np.isfinite(scores))} scores that are not finite; leave "
                "these examples out of both"
            )
    if samples < 1 or not 0 < confidence < 1:
        raise ValueError(
            f"samples must be at least 1 and confidence between 0 and 1, got {samples} and {confidence}"
        )

    def compared(indices: np.ndarray) -> np.ndarray:
        drawn_a, drawn_b = a[indices], b[indices]
        if a.ndim == 2:
            drawn_a, drawn_b = np.moveaxis(drawn_a, -1, 1), np.moveaxis(drawn_b, -1, 1)
        return statistic(drawn_a) - statistic(drawn_b)

    difference = float(compared(np.arange(len(a))[None])[0])
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // a.size)
    differences = np.concatenate(
        [
            compared(generator.integers(len(a), size=(min(block, samples - start), len(a))))
            for start in range(0, samples, block)
        ]
    )
    low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
    fewer = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    return Comparison(difference, float(low), float(high), min(1.0, float(2 * (fewer + 1) / (samples + 1))))


def bootstrap_interval(
    scores: np.ndarray, samples: int = 1000, seed: int = 0, confidence: float = 0.95
) -> tuple[float, float]:
    """Returns the interval in which the mean lies when the examples are drawn anew, with replacement.

    Args:
        scores: one finite number an example, `(examples,)`.
        samples: how many times the examples are drawn.
        seed: of the draws.
        confidence: share of the draws inside the interval, that of percentiles.

    Returns:
        Its ends.

    Raises:
        ValueError: as `paired_bootstrap`.

    Example:

    >>> bootstrap_interval(np.array([1.0, 1.0, 1.0]))
    (1.0, 1.0)
    """
    found = paired_bootstrap(scores, np.zeros_like(scores), samples=samples, seed=seed, confidence=confidence)
    return found.low, found.high
