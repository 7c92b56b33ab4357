"""What carried the decisions about examples, as a report shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from interpnet_tf.attribution import ReasonScores
from interpnet_tf.generation.explanation import Explanation

_ESTIMATED = (
    "What carried a decision is estimated, for what people and the network say of the example: what the "
    "network computes is moved from a phrase, such as “red crown”, to others that could stand in its place, "
    "and the rest is computed anew. 100 % is a phrase without which it would decide quite otherwise. Phrases "
    "that the sentence states are marked as said."
)


@dataclasses.dataclass(frozen=True)
class Carried:
    """How much of a decision each part of an example carried, where that is known.

    Attributes:
        how: a sentence that says how that was found out.
        values: for each example of the data set the values of its parts, 0..1, by name; parts that are not
            to be seen are left out.
        named: for each example the names of the parts that its sentence speaks of; `None` reads them from
            sentences about sketchbirds.
    """

    how: str
    values: Sequence[Mapping[str, float]]
    named: Sequence[Collection[str]] | None = None

    def subset(self, rows: Sequence[int]) -> Carried:
        """Returns what carried the decisions about some of the examples.

        Args:
            rows: their numbers.
        """
        named = None if self.named is None else [self.named[row] for row in rows]
        return Carried(self.how, [self.values[row] for row in rows], named)


def estimated(
    scores: ReasonScores, x: Any, explanations: Sequence[Explanation], people: Sequence[Sequence[str]]
) -> Carried:
    """Estimates what carried decisions by the phrases that are said of the examples.

    Args:
        scores: of phrases.
        x: the examples.
        explanations: what the network says of each.
        people: the sentences that people wrote of each.
    """
    said = [explanation.text for explanation in explanations]
    values = scores.phrases(x, [[text, *of_one] for text, of_one in zip(said, people, strict=True)])
    names, read = scores.concepts.names, scores.concepts.read
    return Carried(
        _ESTIMATED,
        [{phrase: min(score, 1.0) for phrase, score in of_one.items()} for of_one in values],
        [{names[concept] for concept in read(text)} for text in said],
    )
