"""The columns of the table: their headers, their units, and in which part of the table they stand."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """A column.

    Args:
        key: its name in the results.
        header: as it is printed.
        scale: what the natural unit is multiplied by in print.
        digits: after the point, in print.
    """

    key: str
    header: str
    scale: float = 100
    digits: int = 1


def _of_references(count: int) -> list[Column]:
    names = {
        "meteor": "METEOR",
        "bleu_4": "BLEU-4",
        "cider": "CIDEr",
        "cider_d": "CIDEr-D",
        "rouge_l": "ROUGE-L",
    }
    return [Column(f"{name}_{count}", header) for name, header in names.items()]


# By the heading of each part.
PARTS: dict[str, list[Column]] = {
    "10 references, scores x 100": [
        *_of_references(10),
        Column("accuracy_all", "accuracy"),
        Column("accuracy", "accuracy, judged"),
    ],
    "5 references, scores x 100": _of_references(5),
    "what n-grams do not see: shares in %, CIDEr x 100, ranks from 1": [
        Column("read_back_species", "read-back"),
        Column("read_back_held_out", "held out"),
        Column("read_back_predicted", "of predicted"),
        Column("read_back_predicted_right", "if right"),
        Column("read_back_predicted_wrong", "if wrong"),
        Column("class_similarity", "class similarity"),
        Column("class_rank", "class rank", 1, 2),
        Column("retrieval_at_1", "R@1"),
        Column("retrieval_at_10", "R@10"),
        Column("retrieval_median_rank", "median rank", 1, 0),
        Column("sentence_accuracy", "its sentence classifier"),
    ],
    "truth, shares in %": [
        Column("phrases_true", "phrases true"),
        Column("sentences_with_false_phrase", "sentences with a false one"),
        Column("phrases_a_sentence", "phrases a sentence", 1, 2),
        Column("attribute_precision", "attribute precision"),
        Column("attribute_recall", "recall"),
        Column("distinguishing_rate", "distinguishing"),
        Column("varying_precision", "varying precision"),
        Column("varying_coverage", "coverage"),
    ],
    "variety": [
        Column("distinct_sentences", "distinct sentences", 1, 0),
        Column("new_share", "not in training, %"),
        Column("vocabulary", "vocabulary", 1, 0),
    ],
}
