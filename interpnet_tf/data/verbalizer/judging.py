"""Judging: how much of what sentences state is true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from interpnet_tf.data.verbalizer.reading import Reading
from interpnet_tf.data.verbalizer.vocabulary import Fact


class Judgement(NamedTuple):
    """How true sentences are.

    Args:
        facts: how many they state.
        true: how many of these are true of their rows.
        unknown: how many phrases state something which the verbalizer never says.
    """

    facts: int
    true: int
    unknown: int

    @property
    def share_true(self) -> float:
        """Share of the facts that are true; nan where none is stated."""
        return self.true / self.facts if self.facts else float("nan")


def judge(readings: Sequence[Reading], facts: Sequence[Fact], true: np.ndarray) -> Judgement:
    """Counts what sentences state, and how much of it is true.

    Args:
        readings: of the sentences, one a row.
        facts: all that can be stated.
        true: whether each is true of each row, bool `(rows, facts)`.

    Example:

    >>> red, big = Fact("colour", "red"), Fact("size", "big")
    >>> judge([Reading((red, big), ("odd shape",))], [red, big], np.array([[True, False]]))
    Judgement(facts=2, true=1, unknown=1)
    """
    number = {fact: index for index, fact in enumerate(facts)}
    said = [
        bool(of_row[number[fact]])
        for reading, of_row in zip(readings, true, strict=True)
        for fact in reading.facts
    ]
    return Judgement(len(said), sum(said), sum(len(reading.unknown) for reading in readings))
