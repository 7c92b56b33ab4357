"""Batches of sentences of similar length, for what learns words."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.data.pipeline import SeededBatches

WORDS = tf.TensorSpec((None, None), tf.int32)


class BucketedSentences(SeededBatches):
    """Batches of sentences, one row a sentence; what else is in a batch, subclasses say.

    Sentences of similar length stand in the same batch, so that little is spent on padding: each stretch of
    `_POOL` batches of the shuffled order is sorted by length, cut into batches, and the batches are shuffled.

    Args:
        sentences: the ids of each sentence, without start and end id.
        start_id, end_id, pad_id: the special ids.
        batch_size, shuffle, seed: see `SeededBatches`.

    Attributes:
        tokens: int32 `(sentences, words)`, the ids between the start and the end id, and padding.
        lengths: int `(sentences,)`, of words and end.
    """

    _POOL = 100

    def __init__(
        self,
        sentences: Sequence[np.ndarray],
        start_id: int,
        end_id: int,
        pad_id: int,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(len(sentences), batch_size, shuffle, seed)
        self.lengths = np.array([len(ids) + 1 for ids in sentences])
        self.tokens = np.full((len(sentences), 1 + self.lengths.max()), pad_id, dtype="int32")
        self.tokens[:, 0] = start_id
        for row, ids in enumerate(sentences):
            self.tokens[row, 1 : 1 + len(ids)] = ids
            self.tokens[row, 1 + len(ids)] = end_id

    def cut(self, rows: np.ndarray) -> list[np.ndarray]:
        pool = self._POOL * self.batch_size
        batches = []
        for begin in range(0, len(rows), pool):
            stretch = rows[begin : begin + pool]
            batches += super().cut(stretch[np.argsort(self.lengths[stretch], kind="stable")])
        if self.shuffle:
            order = np.random.default_rng((self.seed, self.epoch, 1)).permutation(len(batches))
            batches = [batches[index] for index in order]
        return batches

    def words(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ids that are read, from the start on, and those that follow each, `(rows, words)`."""
        tokens = self.tokens[rows, : self.lengths[rows].max() + 1]
        return tokens[:, :-1], tokens[:, 1:]


class SentenceBatches(BucketedSentences):
    """Batches `({"r", "tokens"}, targets)` for a decoder.

    r(x) is held once an example and shared by all its sentences.

    Args:
        r: float `(examples, width)`.
        owners: int `(sentences,)`, the example of each sentence.
        sentences, start_id, end_id, pad_id, batch_size, shuffle, seed: see `BucketedSentences`.
        weights: of the sentences, `(sentences,)`, which the batches then have as their third part; `None` has
            no third part.
        mean_weight: by which the weights are divided, by default their mean: then the mean over all sentences
            of weight times loss is the weighted mean of the loss.

    Raises:
        ValueError: if there is no sentence, or none that counts.
    """

    def __init__(
        self,
        r: np.ndarray,
        owners: np.ndarray,
        sentences: Sequence[np.ndarray],
        start_id: int,
        end_id: int,
        pad_id: int,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int = 0,
        weights: np.ndarray | None = None,
        mean_weight: float | None = None,
    ) -> None:
        super().__init__(sentences, start_id, end_id, pad_id, batch_size, shuffle, seed)
        self.r, self.owners = r, owners
        self.weights = None if weights is None else _relative(weights, mean_weight)

    def first(self, count: int) -> SentenceBatches:
        """Returns the sentences that fill the first `count` batches, in the order of the data."""
        part = copy.copy(self)
        rows = slice(0, count * self.batch_size)
        part.owners, part.lengths, part.tokens = self.owners[rows], self.lengths[rows], self.tokens[rows]
        part.size = len(part.owners)
        if self.weights is not None:
            part.weights = _relative(self.weights[rows])
        return part

    def batch(self, rows: np.ndarray) -> tuple[Any, ...]:
        tokens, targets = self.words(rows)
        pair = {"r": self.r[self.owners[rows]], "tokens": tokens}, targets
        return pair if self.weights is None else (*pair, self.weights[rows])

    def signature(self) -> tuple[Any, ...]:
        pair = {"r": tf.TensorSpec((None, self.r.shape[1]), self.r.dtype), "tokens": WORDS}, WORDS
        return pair if self.weights is None else (*pair, tf.TensorSpec((None,), tf.float32))


def _relative(weights: np.ndarray, mean: float | None = None) -> np.ndarray:
    """Returns weights, float32, divided by their mean or by the one that is given."""
    mean = float(np.mean(weights)) if mean is None else mean
    if mean == 0:
        raise ValueError("the weight of every sentence is 0; give at least one a weight to learn from")
    return (weights / mean).astype("float32")
