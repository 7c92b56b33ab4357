"""Truth: are the things said of a bird true of its species?"""

from __future__ import annotations

import numpy as np

from interpnet_tf.data.cub_attributes import AttributeTable
from interpnet_tf.metrics.phrases import parse_phrases

THRESHOLD_PERCENT = 15.0


def count_phrases(
    hypotheses: list[str], labels: np.ndarray, table: AttributeTable, threshold: float = THRESHOLD_PERCENT
) -> tuple[np.ndarray, np.ndarray]:
    """Counts what sentences say of their bird, and how much of it is true of its species.

    A phrase is true if one of its attributes was seen by at least `threshold` per cent of the annotators of
    the species. Sexes and ages differ within a species, and so do the words people choose, so that one out
    of two would be too strict. 15 is the largest multiple of 5 at which nine out of ten phrases that people
    wrote of CUB's training images are true of the species shown: 92 %, and 62 % of the other species,
    since any bird has some black and white.

    Args:
        hypotheses: one sentence an example.
        labels: class ids, `(examples,)`.
        table: the attributes of the classes.
        threshold: in per cent.

    Returns:
        How many phrases each sentence has, and how many of these are true, int64 `(examples,)`. A phrase
        none of whose attributes the table has is not counted.

    Raises:
        ValueError: if there is not one label an example, or a label is no class of the table.

    Example:

    >>> table = AttributeTable(["has_bill_color::red", "has_bill_color::black"], np.array([[80.0, 2.0]]))
    >>> count_phrases(["a bird with a red and black beak"], np.array([0]), table)
    (array([2]), array([1]))
    """
    labels = np.asarray(labels)
    if labels.shape != (len(hypotheses),):
        raise ValueError(f"labels must be one an example, ({len(hypotheses)},), got {labels.shape}")
    if len(labels) and not (labels.min() >= 0 and labels.max() < len(table.percent)):
        raise ValueError(
            f"labels must lie in 0..{len(table.percent) - 1}, the classes of the table, got "
            f"{labels.min()}..{labels.max()}"
        )
    column = {name: index for index, name in enumerate(table.names)}
    counts = np.zeros(len(hypotheses), "int64")
    true = np.zeros(len(hypotheses), "int64")
    for index, (hypothesis, label) in enumerate(zip(hypotheses, labels.tolist(), strict=True)):
        for phrase in parse_phrases(hypothesis):
            columns = [column[name] for name in phrase.attributes if name in column]
            if columns:
                counts[index] += 1
                true[index] += table.percent[label, columns].max() >= threshold
    return counts, true


def truth(counts: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Sums `count_phrases` up.

    Args:
        counts: phrases of each sentence.
        true: how many of them are true.

    Returns:
        `phrases_true`, the share of all phrases that are true (nan where there is none);
        `sentences_with_false_phrase`, the share of all sentences; and how much there was to judge:
        `sentences_with_phrase`, a share, and `phrases_a_sentence`.

    Example:

    >>> truth(np.array([2, 1, 0, 1]), np.array([1, 1, 0, 1]))
    {'phrases_true': 0.75, 'sentences_with_false_phrase': 0.25, 'sentences_with_phrase': 0.75, \
'phrases_a_sentence': 1.0}
    """
    said = int(counts.sum())
    return {
        "phrases_true": float(true.sum() / said) if said else float("nan"),
        "sentences_with_false_phrase": float(np.mean(true < counts)),
        "sentences_with_phrase": float(np.mean(counts > 0)),
        "phrases_a_sentence": float(np.mean(counts)),
    }
