"""CIDEr-D of every sentence against the references of every example, not only its own."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np

from interpnet_tf.metrics.tokenize import check_sentences, ngrams, words

_ORDERS = (1, 2, 3, 4)
_SIGMA = 6.0


class CiderPairs:
    """CIDEr-D of any sentence against the references of each of many examples.

    The value of a sentence and an example is exactly the one that `cider_d_sentences` gives the sentence as
    a hypothesis of that example: the document frequencies are those of the examples. It is a mean over
    references, and the value of a pair of sentences is, but for the factor for their lengths, a dot product
    once clipping is written as a sum: min(h, r) = Σ_j [h ≥ j][r ≥ j]. So every j-th occurrence of an n-gram
    is a term of its own, and an index from the terms to the references that have them gives a sentence's
    value against all references in one pass over its few terms.

    Args:
        references: reference sentences of each example.

    Raises:
        ValueError: if an example has no reference; see `check_sentences`.

    Example:

    >>> pairs = CiderPairs([["a black crow ."], ["a white gull ."]])
    >>> pairs(["a black crow ."]).round(3)
    array([[10.,  0.]])

    References:

    - [Vedantam et al., 2015](https://arxiv.org/abs/1411.5726), section 6
    """

    def __init__(self, references: list[list[str]]):
        check_sentences([""] * len(references), references)
        self._examples = len(references)
        self._counts = np.array([len(sentences) for sentences in references])
        self._example = np.repeat(np.arange(self._examples), self._counts)
        tokens = [words(sentence) for sentences in references for sentence in sentences]
        self._lengths = np.array([len(sentence) for sentence in tokens])
        self._idf = _inverse_document_frequencies(tokens, self._example, self._examples)
        # Of each term (n-gram, j): the references that have it, and its weight in them.
        index: dict[tuple, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        for reference, sentence in enumerate(tokens):
            for terms in self._terms(sentence):
                norm = math.sqrt(sum(count * count * idf * idf for _, count, idf in terms))
                for ngram, count, idf in terms:
                    if idf > 0:
                        for occurrence in range(1, count + 1):
                            rows, weights = index[ngram, occurrence]
                            rows.append(reference)
                            weights.append(count * idf * idf / norm)
        self._index = {term: (np.array(rows), np.array(weights)) for term, (rows, weights) in index.items()}

    def __call__(self, hypotheses: list[str]) -> np.ndarray:
        """Computes CIDEr-D of sentences against every example.

        Args:
            hypotheses: sentences; one may be empty, and scores 0.

        Returns:
            Values between 0 and 10, float64 `(hypotheses, examples)`.
        """
        rows: dict[tuple[str, ...], np.ndarray] = {}
        for hypothesis in hypotheses:
            tokens = words(hypothesis)
            if tokens not in rows:
                rows[tokens] = self._row(tokens)
        return np.array([rows[words(hypothesis)] for hypothesis in hypotheses]).reshape(-1, self._examples)

    def _row(self, tokens: tuple[str, ...]) -> np.ndarray:
        found, values = [], []
        for terms in self._terms(tokens):
            norm = math.sqrt(sum(count * count * idf * idf for _, count, idf in terms))
            for ngram, count, _ in terms:
                for occurrence in range(1, count + 1):
                    if (ngram, occurrence) in self._index:
                        rows, weights = self._index[ngram, occurrence]
                        found.append(rows)
                        values.append(weights / norm)
        if not found:
            return np.zeros(self._examples)
        cosines = np.bincount(np.concatenate(found), np.concatenate(values), minlength=len(self._lengths))
        cosines *= np.exp(-((self._lengths - len(tokens)) ** 2) / (2 * _SIGMA**2))
        sums = np.bincount(self._example, cosines, minlength=self._examples)
        return 10 * sums / (len(_ORDERS) * self._counts)

    def _terms(self, tokens: tuple[str, ...]) -> list[list[tuple[tuple[str, ...], int, float]]]:
        """Returns n-gram, count and idf of the n-grams of a sentence, for n = 1..4."""
        # An n-gram that no reference has counts as if one example had it.
        unseen = math.log(self._examples)
        return [
            [(g, count, self._idf.get(g, unseen)) for g, count in Counter(ngrams(tokens, order)).items()]
            for order in _ORDERS
        ]


def _inverse_document_frequencies(
    tokens: list[tuple[str, ...]], example: np.ndarray, examples: int
) -> dict[tuple[str, ...], float]:
    of_example: list[set] = [set() for _ in range(examples)]
    for sentence, index in zip(tokens, example.tolist(), strict=True):
        for order in _ORDERS:
            of_example[index].update(ngrams(sentence, order))
    frequencies = Counter(ngram for ngrams_said in of_example for ngram in ngrams_said)
    return {ngram: math.log(examples / frequency) for ngram, frequency in frequencies.items()}
