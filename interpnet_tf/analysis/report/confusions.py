"""Classes that a classifier confuses, and the sentences that tell them apart."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.model import InterpNet

_EXAMPLES, _SENTENCES = 12, 8  # of each class, that its sentences are judged by and chosen among


@dataclasses.dataclass(frozen=True)
class Side:
    """One class of a pair.

    Attributes:
        label: its name.
        examples: how many there are.
        taken: how many of them are taken for the other class.
        sentence: the one among those said of it that tells it best from the other.
        times: how many times as probable the sentence is given an example of this class.
        shown: number of an example of the class.
    """

    label: str
    examples: int
    taken: int
    sentence: str
    times: float
    shown: int


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two classes that are confused: their sides, and the attributes that always differ, where known."""

    sides: tuple[Side, Side]
    differ: list[str]


def most_confused(
    model: InterpNet, dataset: ExplanationDataset, explanations: Sequence[Explanation], count: int
) -> list[Pair]:
    """Returns the pairs of classes that a classifier confuses most.

    Two classes are the more confused, the higher the mean probability that each has on examples of the
    other. A sentence tells a class from the other one by the mean, over the examples of a class, of its
    log-probability, minus the same over the examples of the other.

    Args:
        model: the trained `InterpNet`.
        dataset: the examples.
        explanations: what is said of each.
        count: how many pairs.
    """
    predicted = np.array([explanation.class_id for explanation in explanations])
    probabilities = np.array([explanation.probabilities for explanation in explanations])
    members = {int(label): np.flatnonzero(dataset.labels == label) for label in np.unique(dataset.labels)}
    means = {label: probabilities[rows].mean(axis=0) for label, rows in members.items()}
    confusion = {
        (one, other): means[one][other] + means[other][one]
        for one in members
        for other in members
        if one < other
    }
    order = sorted(confusion, key=lambda pair: -confusion[pair])[:count]
    pairs = []
    for pair in order:
        telling = _telling_sentences(model, dataset, explanations, [members[label] for label in pair])
        sides = tuple(
            Side(
                label=dataset.class_names[label],
                examples=len(members[label]),
                taken=int(np.sum(predicted[members[label]] == other)),
                sentence=sentence,
                times=times,
                shown=int(members[label][0]),
            )
            for label, other, (sentence, times) in zip(pair, pair[::-1], telling, strict=True)
        )
        pairs.append(Pair(sides, _differences(dataset, members[pair[0]], members[pair[1]])))
    return pairs


def _telling_sentences(
    model: InterpNet,
    dataset: ExplanationDataset,
    explanations: Sequence[Explanation],
    members: Sequence[np.ndarray],
) -> list[tuple[str, float]]:
    """Returns for each of two classes its telling sentence, and how many times as probable it is."""
    said = []
    for rows in members:
        texts = [
            explanations[row].text for row in rows if 0 < len(explanations[row].words) < model.max_length
        ]
        said.append(list(dict.fromkeys(texts))[:_SENTENCES])
    both = [*said[0], *said[1]]
    if not both:
        return [("", 1.0)] * 2
    means = []
    for rows in members:
        examples = dataset.subset(rows[:_EXAMPLES])
        scores = model.score_sentences(examples, [both] * len(examples))
        means.append(np.mean(scores, axis=0))
    ahead = means[0] - means[1]
    told = []
    for sign, begin, texts in ((1, 0, said[0]), (-1, len(said[0]), said[1])):
        own = sign * ahead[begin : begin + len(texts)]
        best = int(own.argmax()) if len(own) else None
        told.append(("", 1.0) if best is None else (texts[best], math.exp(min(50.0, own[best]))))
    return told


def _differences(dataset: ExplanationDataset, one: np.ndarray, other: np.ndarray) -> list[str]:
    """Returns which attributes have other values in all examples of one class than in those of another."""
    if dataset.facts is None:
        return []
    differ = []
    for name in dataset.facts[one[0]].attributes:
        values = [{dataset.facts[row].attributes.get(name, "") for row in rows} for rows in (one, other)]
        if values[0].isdisjoint(values[1]):
            first, second = (" or ".join(sorted(part)) for part in values)
            differ.append(f"{name.replace('_', ' ')} ({first} / {second})")
    return differ
