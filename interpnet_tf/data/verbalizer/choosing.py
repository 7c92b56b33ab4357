"""Choosing: which of the facts that are true of an example its sentences state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Effects smaller than this are no difference worth speaking of (Cohen's "small").
_LEAST_EFFECT = 0.2


def effect(share: np.ndarray, of_others: np.ndarray) -> np.ndarray:
    """Returns how much a fact sets a class apart: Cohen's h, the effect size of two proportions.

    Args:
        share: of the examples of the class of which the fact is true, 0..1.
        of_others: the same of all other examples.

    Returns:
        `2 arcsin √share - 2 arcsin √of_others`, from -π to π; 0 where a share is not known.

    Example:

    >>> effect(np.array([1.0, 0.5]), np.array([0.0, 0.5])).round(3)
    array([3.142, 0.   ])

    References:
        - Cohen, 1988: Statistical Power Analysis for the Behavioral Sciences, section 6.2
    """
    return np.nan_to_num(2 * np.arcsin(np.sqrt(share)) - 2 * np.arcsin(np.sqrt(of_others)))


def effects_of_classes(weights: np.ndarray, classes: np.ndarray, count: int) -> np.ndarray:
    """Returns how much each fact sets each class apart from the others.

    Args:
        weights: how far each fact is true of each example, `(examples, facts)`, nan where it is not known.
        classes: number of each example's class, `(examples,)`.
        count: of the classes.

    Returns:
        `(classes, facts)`, see `effect`.
    """
    known = ~np.isnan(weights)
    membership = np.eye(count)[classes]
    sums, counts = membership.T @ np.where(known, weights, 0), membership.T @ known
    with np.errstate(invalid="ignore"):
        return effect(sums / counts, (sums.sum(0) - sums) / (counts.sum(0) - counts))


class Chooser:
    """Chooses the facts of one sentence after another, so that together they speak of many.

    A fact is chosen the oftener, the more it sets the class apart, and the seldomer, the oftener it was
    chosen before. Facts that set the class apart from no other are chosen only where there are hardly others.

    Args:
        effects: how much each fact sets the class of the example apart, `(facts,)`.
        true: whether it is true of the example, bool `(facts,)`.
        overlapping: for each fact, those which say the same or include it, and are not said beside it.
        numbers: the fewest and the most facts of a sentence.
        random: of the choice.
    """

    def __init__(
        self,
        effects: np.ndarray,
        true: np.ndarray,
        overlapping: Sequence[set[int]],
        numbers: tuple[int, int],
        random: np.random.Generator,
    ) -> None:
        least, most = numbers
        weights = np.where(true & (effects >= _LEAST_EFFECT), effects, 0)
        if np.count_nonzero(weights) < least:
            best = np.argsort(np.where(true, -effects, np.inf), kind="stable")[: min(least, true.sum())]
            weights[best] = np.maximum(effects[best], _LEAST_EFFECT)
        self._weights, self._uses = weights, np.zeros(len(weights))
        self._overlapping, self._least, self._most, self._random = overlapping, least, most, random

    def choose(self) -> list[int]:
        """Returns which facts the next sentence states, in their order."""
        number = self._random.integers(self._least, self._most + 1)
        with np.errstate(divide="ignore"):
            # The smallest of exponential times are a draw without replacement.
            times = self._random.exponential(size=len(self._weights)) * (1 + self._uses) / self._weights
        chosen: list[int] = []
        for fact in np.argsort(times)[: np.count_nonzero(self._weights)].tolist():
            if len(chosen) == number:
                break
            if not self._overlapping[fact] & set(chosen):
                chosen.append(fact)
        self._uses[chosen] += 1
        return sorted(chosen)
