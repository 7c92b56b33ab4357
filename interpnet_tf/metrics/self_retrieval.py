"""Self-retrieval: does a sentence find its own image among all others?

A sentence that fits every image finds none: whatever its n-gram scores, its rank is that of chance.
"""

from __future__ import annotations

import numpy as np

from interpnet_tf.metrics.cider_pairs import CiderPairs
from interpnet_tf.metrics.ranks import ranks_of
from interpnet_tf.metrics.tokenize import check_sentences


def retrieval_ranks(
    hypotheses: list[str], references: list[list[str]], pairs: CiderPairs | None = None
) -> np.ndarray:
    """Ranks the references of all examples by CIDEr-D with a sentence, and tells the place of its own.

    Args:
        hypotheses: one sentence an example.
        references: reference sentences of each example.
        pairs: `CiderPairs(references)`, where it is at hand.

    Returns:
        The rank of each sentence's own example, 1 is best, float64 `(examples,)`. Equal values share the
        mean of their places: a sentence that says nothing gets the rank of chance, (examples + 1) / 2.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.

    Example:

    >>> retrieval_ranks(["a gull", "a crow", "a crow"], [["a gull"], ["a crow"], ["a gull"]])
    array([1.5, 1. , 2.5])
    """
    check_sentences(hypotheses, references)
    return ranks_of(np.arange(len(hypotheses)), (pairs or CiderPairs(references))(hypotheses))


def self_retrieval(ranks: np.ndarray) -> dict[str, float]:
    """Sums `retrieval_ranks` up.

    Args:
        ranks: as `retrieval_ranks` returns them.

    Returns:
        `retrieval_at_1` and `retrieval_at_10`, the share of examples ranked there or better (0..1), and
        `retrieval_median_rank`.

    Example:

    >>> self_retrieval(np.array([1.0, 1.5, 10.0, 40.0]))
    {'retrieval_at_1': 0.25, 'retrieval_at_10': 0.75, 'retrieval_median_rank': 5.75}
    """
    return {
        "retrieval_at_1": float(np.mean(ranks <= 1)),
        "retrieval_at_10": float(np.mean(ranks <= 10)),
        "retrieval_median_rank": float(np.median(ranks)),
    }
