"""Scores of single phrases about the parts of a picture, to be judged by the effects of the parts."""

from __future__ import annotations

import numpy as np

from interpnet_tf.attribution.reason_scores import ReasonScores
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.sketchbirds.lexicon import PART_NOUNS, PLURALS, part_of
from interpnet_tf.experiments.reasons.effects import PARTS


def score_phrases(scores: ReasonScores, dataset: ExplanationDataset) -> np.ndarray:
    """Scores every visible fact of every picture, each said alone: "this bird has a red crown."

    Args:
        scores: of the network.
        dataset: a split of sketchbirds.

    Returns:
        Scores of the parts, float64 `(pictures, parts)`, in the order of `PARTS`; 0 where a part is not
        visible, or what it is like is too rare in the training sentences to be scored.
    """
    asked = [
        {
            part: scores.concepts.read(_sentence(part, facts.attributes[part]))
            for part in PARTS
            if part in facts.visible
        }
        for facts in dataset.facts
    ]
    found = scores.of_concepts(
        dataset, [[concept for of_part in of_one.values() for concept in of_part] for of_one in asked]
    )
    table = np.zeros((len(dataset), len(PARTS)))
    for row, (of_one, of_concepts) in enumerate(zip(asked, found, strict=True)):
        for part, concepts in of_one.items():
            table[row, PARTS.index(part)] = max((of_concepts[concept] for concept in concepts), default=0.0)
    return table


def _sentence(attribute: str, value: str) -> str:
    if attribute == "size":
        return f"this is a {value} bird."
    part = part_of(attribute)
    phrase = f"{value} {PART_NOUNS[part][0]}"
    if part in PLURALS or value == "no":
        return f"this bird has {phrase}."
    return f"this bird has {'an' if value[0] in 'aeiou' else 'a'} {phrase}."
