"""CIDEr and CIDEr-D: agreement with the references, rare n-grams counting more than common ones."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

import numpy as np

from interpnet_tf.metrics.tokenize import check_sentences, words

_ORDERS = (1, 2, 3, 4)
_SIGMA = 6.0


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
    # Hypothesis i is sentence i; the references of all examples follow.
    examples = len(hypotheses)
    reference_counts = np.array([len(sentences) for sentences in references])
    example = np.concatenate([np.arange(examples), np.repeat(np.arange(examples), reference_counts)])
    tokens = [words(s) for s in hypotheses] + [words(s) for sentences in references for s in sentences]

    cosines = sum(
        _cosines(sentence, ngram, example, examples, clip=robust) for sentence, ngram in _ngram_ids(tokens)
    )
    if robust:
        lengths = np.array([len(sentence) for sentence in tokens])
        difference = lengths[example[examples:]] - lengths[examples:]
        cosines = cosines * np.exp(-(difference**2) / (2 * _SIGMA**2))
    sums = np.bincount(example[examples:], cosines, minlength=examples)
    return (10 * sums / (len(_ORDERS) * reference_counts)).tolist()


def _ngram_ids(tokens: list[tuple[str, ...]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields for n = 1..4, of every n-gram in order, the index of its sentence and its id."""
    vocabulary: dict[str, int] = {}
    word = np.array([vocabulary.setdefault(t, len(vocabulary)) for sentence in tokens for t in sentence], int)
    sentence = np.repeat(np.arange(len(tokens)), [len(sentence) for sentence in tokens])
    ngram = word
    for order in _ORDERS:
        if order > 1:
            # An n-gram is an (n-1)-gram and the word that follows it.
            ngram = np.unique(ngram[:-1] * len(vocabulary) + word[order - 1 :], return_inverse=True)[1]
        inside = sentence[: len(ngram)] == sentence[order - 1 :]
        yield sentence[: len(ngram)][inside], ngram[inside]


def _cosines(
    sentence: np.ndarray, ngram: np.ndarray, example: np.ndarray, examples: int, clip: bool
) -> np.ndarray:
    """Computes the cosine between the tf-idf vectors of every reference and its example's hypothesis.

    Args:
        sentence: of every n-gram the index of its sentence.
        ngram: ids of the n-grams.
        example: of every sentence the index of its example, `(sentences,)`.
        examples: number of examples, and so of the hypotheses that come first among the sentences.
        clip: whether a weight of the hypothesis counts no more than that of the reference.

    Returns:
        An array `(sentences - examples,)`; 0 where a vector is 0.
    """
    ids = ngram.max(initial=0) + 1
    entries, counts = np.unique(sentence * ids + ngram, return_counts=True)
    sentence, ngram = np.divmod(entries, ids)
    in_reference = sentence >= examples
    key = example[sentence] * ids + ngram

    # An n-gram that no reference has counts as if one example had it.
    # (np.unique sorts where it counts too, which is several times as fast as its hashing.)
    distinct = np.unique_counts(key[in_reference]).values
    document_frequency = np.bincount(distinct % ids, minlength=ids)
    weight = counts * np.log(examples / np.maximum(document_frequency, 1))[ngram]
    norm = np.sqrt(np.bincount(sentence, weight**2, minlength=len(example)))

    # The last key stands for all n-grams that the hypothesis lacks.
    said = np.append(key[~in_reference], np.iinfo(key.dtype).max)
    said_weight = np.append(weight[~in_reference], 0.0)
    written, written_weight = key[in_reference], weight[in_reference]
    position = np.searchsorted(said, written)
    common = np.where(said[position] == written, said_weight[position], 0.0)
    if clip:
        common = np.minimum(common, written_weight)
    products = np.bincount(sentence[in_reference], common * written_weight, minlength=len(example))[examples:]
    norms = norm[examples:] * norm[example[examples:]]
    return np.divide(products, norms, out=np.zeros(len(products)), where=norms > 0)
