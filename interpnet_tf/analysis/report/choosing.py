"""Which examples a report shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.sketchbirds import parse_facts
from interpnet_tf.generation.explanation import Explanation


def false_facts(explanation: Explanation, bird: Any) -> list[tuple[str, str]]:
    """Returns the facts that a sentence states and that are not true of its bird, in a fixed order."""
    return sorted(parse_facts(explanation.text) - bird.attributes.items())


def _by_class(explanations: Sequence[Explanation], dataset: ExplanationDataset) -> np.ndarray:
    """By how much more probable the predicted class is than the true one: 0 where it is right."""
    return np.array(
        [
            explanation.probability - explanation.probabilities[label]
            for explanation, label in zip(explanations, dataset.labels, strict=True)
        ]
    )


def _by_facts(explanations: Sequence[Explanation], dataset: ExplanationDataset) -> np.ndarray:
    if dataset.facts is None:
        raise ValueError(
            "worst must be 'class' or 'words', got 'facts', but what is true of these examples is not known"
        )
    pairs = zip(explanations, dataset.facts, strict=True)
    return np.array([len(false_facts(explanation, bird)) for explanation, bird in pairs], "float64")


def _by_words(explanations: Sequence[Explanation], dataset: ExplanationDataset) -> np.ndarray:
    return -np.array([np.mean(of_one.log_probabilities or (0.0,)) for of_one in explanations])


# How bad each example is, by what `worst` of `write_report` names.
WORST: dict[str, Callable[[Sequence[Explanation], ExplanationDataset], np.ndarray]] = {
    "class": _by_class,
    "facts": _by_facts,
    "words": _by_words,
}


def choose(
    explanations: Sequence[Explanation], dataset: ExplanationDataset, count: int, worst: str | None
) -> np.ndarray:
    """Returns the numbers of the examples to be shown, in the order to show them.

    Args:
        explanations: of every example of `dataset`.
        dataset: the examples.
        count: how many.
        worst: `None` spreads them evenly over the data set; `"class"` begins with the surest wrong
            classifications, `"facts"` with most that is said and not true, `"words"` with the least probable
            words.
    """
    if worst is None:
        return np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int))
    if worst not in WORST:
        raise ValueError(f"worst must be one of {', '.join(WORST)}, got {worst!r}")
    return np.argsort(-WORST[worst](explanations, dataset), kind="stable")[:count]
