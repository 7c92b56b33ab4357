"""CIDEr and CIDEr-D: agreement with the references, rare n-grams counting more than common ones."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean

from interpnet_tf.metrics.tokenize import check_sentences, ngrams, words

_ORDERS = (1, 2, 3, 4)
_SIGMA = 6.0

_Vector = dict[tuple[str, ...], float]


def cider(hypotheses: list[str], references: list[list[str]]) -> float:
    """Computes the mean of `cider_sentences`, between 0 and 10.

    Example:

    >>> birds = ["a small black bird", "it has red legs"]
    >>> round(cider(birds, [[bird] for bird in birds]), 6)
    10.0
    """
    return fmean(cider_sentences(hypotheses, references))


def cider_d(hypotheses: list[str], references: list[list[str]]) -> float:
    """Computes the mean of `cider_d_sentences`, between 0 and 10.

    Example:

    >>> cider_d(["a bird", "a bird"], [["a black crow"], ["a white gull"]])
    0.0
    """
    return fmean(cider_d_sentences(hypotheses, references))


def cider_sentences(hypotheses: list[str], references: list[list[str]]) -> list[float]:
    """Computes CIDEr of every hypothesis as its paper defines it.

    The cosine between tf-idf vectors of the n-grams of hypothesis and reference, mean over the references
    and over n = 1..4, times 10. Words are not stemmed. The document frequency of an n-gram is the number
    of examples that have it in a reference, so that a value depends on the whole corpus, and that of a
    single example is 0. A sentence of fewer than four words lacks an n, and cannot reach 10.

    Args:
        hypotheses: one sentence an example.
        references: reference sentences of each example.

    Returns:
        One value between 0 and 10 an example.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.

    References:

    - [Vedantam et al., 2015](https://arxiv.org/abs/1411.5726), section 4
    """
    return _sentence_scores(hypotheses, references, robust=False)


def cider_d_sentences(hypotheses: list[str], references: list[list[str]]) -> list[float]:
    """Computes CIDEr-D of every hypothesis: what coco-caption prints as "CIDEr".

    Like `cider_sentences`, but an n-gram's weight is clipped to its weight in the reference, and a
    difference of d words in length costs a factor exp(-d² / (2 · 6²)), so that repeating rare words does
    not pay.

    Args:
        hypotheses: one sentence an example.
        references: reference sentences of each example.

    Returns:
        One value between 0 and 10 an example.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.

    References:

    - [Vedantam et al., 2015](https://arxiv.org/abs/1411.5726), section 6
    """
    return _sentence_scores(hypotheses, references, robust=True)


def _sentence_scores(hypotheses: list[str], references: list[list[str]], robust: bool) -> list[float]:
    check_sentences(hypotheses, references)
    rarity = _inverse_document_frequency(references)
    rarest = math.log(len(references))

    def vector(tokens: tuple[str, ...], order: int) -> tuple[_Vector, float]:
        weights: _Vector = {}
        for ngram in ngrams(tokens, order):
            # An n-gram that no reference has counts as if one example had it.
            weights[ngram] = weights.get(ngram, 0.0) + rarity.get(ngram, rarest)
        return weights, math.hypot(*weights.values())

    scores = []
    for hypothesis, sentences in zip(hypotheses, references, strict=True):
        tokens = words(hypothesis)
        said = [vector(tokens, order) for order in _ORDERS]
        total = 0.0
        for sentence in sentences:
            reference = words(sentence)
            cosines = sum(
                _cosine(*said[order - 1], *vector(reference, order), clip=robust) for order in _ORDERS
            )
            if robust:
                cosines *= math.exp(-((len(tokens) - len(reference)) ** 2) / (2 * _SIGMA**2))
            total += cosines
        scores.append(10 * total / (len(_ORDERS) * len(sentences)))
    return scores


def _inverse_document_frequency(references: list[list[str]]) -> _Vector:
    """Computes log(examples / examples that have it in a reference) for every n-gram."""
    frequency: Counter[tuple[str, ...]] = Counter()
    for sentences in references:
        frequency.update(set().union(*(ngrams(words(s), order) for s in sentences for order in _ORDERS)))
    return {ngram: math.log(len(references) / count) for ngram, count in frequency.items()}


def _cosine(said: _Vector, said_norm: float, written: _Vector, written_norm: float, clip: bool) -> float:
    if not (said_norm and written_norm):
        return 0.0
    shared = said.keys() & written.keys()
    if clip:
        product = sum(min(said[ngram], written[ngram]) * written[ngram] for ngram in shared)
    else:
        product = sum(said[ngram] * written[ngram] for ngram in shared)
    return product / (said_norm * written_norm)
