"""Batches for `fit`, shuffled by epoch from a seed, and those of a classifier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.support.checks import check_whole


class SeededBatches:
    """Batches in an order that depends on nothing but a seed and the number of the epoch.

    A run that was interrupted can therefore go on with the batches it would have seen.

    Args:
        size: number of rows.
        batch_size: rows a batch; the last one may be smaller.
        shuffle: whether each epoch has an order of its own; otherwise the rows come as they are.
        seed: of the orders.

    Attributes:
        epoch: number of the epoch whose batches are drawn next, from 0.
    """

    def __init__(self, size: int, batch_size: int, shuffle: bool, seed: int = 0) -> None:
        if size < 1:
            raise ValueError("there is no example to make batches of; the data set is empty")
        check_whole("batch_size", batch_size, 1)
        self.size, self.batch_size, self.shuffle, self.seed = size, batch_size, shuffle, seed
        self.epoch = 0

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Yields the batches of epoch number `self.epoch`."""
        for rows in self.draw():
            yield self.batch(rows)

    def __len__(self) -> int:
        return len(self.draw())

    def to_tf(self) -> tf.data.Dataset:
        """Returns the pipeline for `keras.Model.fit`, which also needs the callback `follow_epochs()`."""
        dataset = tf.data.Dataset.from_generator(lambda: iter(self), output_signature=self.signature())
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(2)
        # In a process with one core, the end of an epoch often waits for the tuner's next turn, which comes
        # after 10 ms, then twice as late every time: an epoch of 45 seconds lasts 82.
        options = tf.data.Options()
        options.autotune.enabled = False
        return dataset.with_options(options)

    def follow_epochs(self) -> keras.callbacks.Callback:
        """Returns the callback that tells these batches which epoch has begun.

        They cannot count for themselves: a prefetching pipeline runs ahead of the training, and Keras opens
        and drops iterators as it likes.
        """

        def on_epoch_begin(epoch: int, logs: dict[str, float] | None = None) -> None:
            self.epoch = epoch

        return keras.callbacks.LambdaCallback(on_epoch_begin=on_epoch_begin)

    def draw(self) -> list[np.ndarray]:
        """Returns the rows of each batch of the epoch."""
        rows = np.arange(self.size)
        if self.shuffle:
            rows = np.random.default_rng((self.seed, self.epoch)).permutation(rows)
        return self.cut(rows)

    def cut(self, rows: np.ndarray) -> list[np.ndarray]:
        """Cuts rows into batches."""
        return [rows[begin : begin + self.batch_size] for begin in range(0, len(rows), self.batch_size)]

    def batch(self, rows: np.ndarray) -> tuple[Any, Any]:
        """Returns the batch of these rows."""
        raise NotImplementedError

    def signature(self) -> tuple[Any, Any]:
        """Returns the shapes and types of a batch, as `tf.TensorSpec`s."""
        raise NotImplementedError


class LabelledBatches(SeededBatches):
    """Batches `(inputs, labels)` for a classifier.

    Args:
        inputs: array `(examples, ...)` or dict of arrays.
        labels: int `(examples,)`.
        batch_size, shuffle, seed: see `SeededBatches`.
    """

    def __init__(
        self, inputs: Any, labels: np.ndarray, batch_size: int = 32, shuffle: bool = True, seed: int = 0
    ) -> None:
        super().__init__(len(labels), batch_size, shuffle, seed)
        self.inputs, self.labels = inputs, labels

    def batch(self, rows: np.ndarray) -> tuple[Any, np.ndarray]:
        return keras.tree.map_structure(lambda part: part[rows], self.inputs), self.labels[rows]

    def signature(self) -> tuple[Any, tf.TensorSpec]:
        return keras.tree.map_structure(
            lambda part: tf.TensorSpec((None, *part.shape[1:]), part.dtype), (self.inputs, self.labels)
        )


class MixedBatches(LabelledBatches):
    """Batches `(inputs, probabilities of the classes)` whose examples are blends of two, see mixup.

    Each example `a` of a batch is blended with another, `b`, of the same batch: λ a + (1 - λ) b, inputs and
    classes alike, λ drawn anew for each from the distribution Beta(`mixup`, `mixup`).

    Args:
        inputs: array `(examples, ...)` or dict of arrays, of numbers.
        labels: int `(examples,)`.
        classes: number of classes.
        mixup: 0 blends nothing; 1 draws λ uniformly.
        batch_size, shuffle, seed: see `SeededBatches`.

    References:
    - [Zhang et al. 2018, mixup](https://arxiv.org/abs/1710.09412)
    """

    def __init__(
        self,
        inputs: Any,
        labels: np.ndarray,
        classes: int,
        mixup: float,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(inputs, labels, batch_size, shuffle, seed)
        if mixup < 0:
            raise ValueError(f"mixup must be at least 0, got {mixup}")
        self.mixup, self.targets = mixup, np.eye(classes, dtype="float32")

    def batch(self, rows: np.ndarray) -> tuple[Any, np.ndarray]:
        inputs, labels = super().batch(rows)
        both = keras.tree.map_structure(lambda part: part.astype("float32"), (inputs, self.targets[labels]))
        if not self.mixup:
            return both
        random = np.random.default_rng((self.seed, self.epoch, 2, int(rows[0])))
        others = random.permutation(len(rows))
        share = random.beta(self.mixup, self.mixup, len(rows)).astype("float32")

        def blend(part: np.ndarray) -> np.ndarray:
            of_own = share.reshape(-1, *(1,) * (part.ndim - 1))
            return of_own * part + (1 - of_own) * part[others]

        return keras.tree.map_structure(blend, both)

    def signature(self) -> tuple[Any, tf.TensorSpec]:
        return keras.tree.map_structure(
            lambda part: tf.TensorSpec((None, *part.shape[1:]), tf.float32), (self.inputs, self.targets)
        )
