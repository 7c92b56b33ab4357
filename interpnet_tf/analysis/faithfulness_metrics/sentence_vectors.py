"""Sentences as vectors of the words and pairs of words in them."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from interpnet_tf.metrics.tokenize import words

_MOST = 1000  # beyond the commonest 1000, a word or a pair is in too few sentences to learn from
_MOST_SENTENCES = 6000


class SentenceVectors:
    """Makes vectors of sentences: tf-idf of their words and pairs of words, of length 1.

    Args:
        sentences: those from which the vocabulary and the frequencies come.
        most: how many words and pairs count, the commonest.

    Call arguments:
        sentences: of any origin.

    Returns:
        float32 `(sentences, features)`; zeros for a sentence without a known word.

    Example:

    >>> SentenceVectors(["a black bird", "a white bird"])(["black", "blue"]).sum(axis=1).tolist()
    [1.0, 0.0]
    """

    def __init__(self, sentences: Sequence[str], most: int = _MOST) -> None:
        found = Counter(feature for sentence in sentences for feature in set(_features(sentence)))
        kept = sorted(found.items(), key=lambda item: (-item[1], str(item[0])))[:most]
        self._columns = {feature: column for column, (feature, _) in enumerate(kept)}
        self._weights = [1 + math.log((1 + len(sentences)) / (1 + count)) for _, count in kept]

    def __call__(self, sentences: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(sentences), len(self._columns)), "float32")
        for row, sentence in enumerate(sentences):
            for feature in set(_features(sentence)) & self._columns.keys():
                column = self._columns[feature]
                vectors[row, column] = self._weights[column]
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


class TrainingSentences:
    """People's sentences about training examples, as vectors: at most 6000, as many of each example.

    Args:
        explanations: the sentences of each example.

    Attributes:
        encoder: makes vectors of other sentences.
        vectors: float32 `(sentences, features)`.
        owners: the example of each sentence, `(sentences,)`.
    """

    def __init__(self, explanations: Sequence[Sequence[str]]) -> None:
        each = max(1, _MOST_SENTENCES // len(explanations))
        explanations = [of_one[:each] for of_one in explanations]
        sentences = [sentence for of_one in explanations for sentence in of_one]
        self.encoder = SentenceVectors(sentences)
        self.vectors = self.encoder(sentences)
        self.owners = np.repeat(np.arange(len(explanations)), [*map(len, explanations)])


def _features(sentence: str) -> list[tuple[str, ...]]:
    found = words(sentence)
    return [*itertools.pairwise(found), *((word,) for word in found)]
