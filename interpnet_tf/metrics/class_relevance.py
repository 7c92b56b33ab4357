"""Class similarity and class rank: does a sentence fit its class better than the others?

Both are from section 4 of Generating Visual Explanations, whose scripts were not published.
"""

from __future__ import annotations

import numpy as np

from interpnet_tf.metrics.cider_pairs import CiderPairs
from interpnet_tf.metrics.ranks import ranks_of
from interpnet_tf.metrics.tokenize import check_sentences


def class_similarities(
    hypotheses: list[str], references: list[list[str]], labels: np.ndarray, pairs: CiderPairs | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Computes CIDEr-D of sentences against all reference sentences of each class.

    The paper pools the references of a class and takes CIDEr, which in the code of its time, coco-caption's,
    is CIDEr-D: the mean over the pooled references. It does not say of what the document frequencies are;
    here they are those of the examples, as in CIDEr-D itself, so that the two are on one scale: a sentence's
    class similarity is the CIDEr-D that it would have on average with the references of its class.

    Args:
        hypotheses: sentences.
        references: reference sentences of each example.
        labels: class ids of these examples, `(examples,)`.
        pairs: `CiderPairs(references)`, where it is at hand.

    Returns:
        Similarities between 0 and 10, `(hypotheses, classes)`, and the class ids of their columns: those
        that have an example.

    Raises:
        ValueError: if there is not one label an example.

    Example:

    >>> class_similarities(["a gull"], [["a gull"], ["a crow"], ["a crow"]], [4, 7, 7])[0].round(2)
    array([[5., 0.]])

    References:

    - [Hendricks et al., 2016](https://arxiv.org/abs/1603.08507), section 4
    """
    check_sentences([""] * len(references), references)
    labels = np.asarray(labels)
    if labels.shape != (len(references),):
        raise ValueError(f"labels must be one class id an example, ({len(references)},), got {labels.shape}")
    classes, column = np.unique(labels, return_inverse=True)
    # An example's value is the mean over its references: weighted by their number it is their sum.
    weights = np.zeros((len(labels), len(classes)))
    weights[np.arange(len(labels)), column] = [len(sentences) for sentences in references]
    values = (pairs or CiderPairs(references))(hypotheses)
    return values @ (weights / weights.sum(axis=0)), classes


def class_relevance(
    hypotheses: list[str],
    references: list[list[str]],
    labels: np.ndarray,
    pairs: CiderPairs | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Computes similarity to, and rank of, the true class of one sentence an example.

    Args:
        hypotheses: one sentence an example.
        references: reference sentences of each example.
        labels: class ids, `(examples,)`.
        pairs: `CiderPairs(references)`, where it is at hand.

    Returns:
        Similarities between 0 and 10, and ranks from 1 (best) to the number of classes, both
        `(examples,)`; classes of equal similarity share the mean of their places.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.
    """
    check_sentences(hypotheses, references)
    similarities, classes = class_similarities(hypotheses, references, labels, pairs)
    column = np.searchsorted(classes, labels)
    return similarities[np.arange(len(column)), column], ranks_of(column, similarities)
