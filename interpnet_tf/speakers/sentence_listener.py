"""`SentenceListener`: guesses from a whole sentence which class it is about."""

from __future__ import annotations

import collections
from collections.abc import Sequence

import keras
import numpy as np

from interpnet_tf.language.tokenizer import ExplanationTokenizer

_ROWS = 4096  # sentences that are read together


class SentenceListener:
    """A softmax regression on the words and the pairs of neighbouring words that a sentence holds.

    It learns from what people wrote. All classes are equally likely to it before a word is said.

    Args:
        tokenizer: divides sentences into words.
        minimum_count: in how many training sentences a word or pair must stand to count.
        decay: weight of the squared weights in the loss, as if each were half a sentence's loss.
        epochs: passes over the sentences.
        seed: of the order of the sentences.

    Attributes:
        classes: the class ids that it knows, in rising order, `(classes,)`.

    Example:

    >>> sentences = ["a red bird.", "a bird with a red crown.", "a blue bird.", "a blue wing."]
    >>> tokenizer = ExplanationTokenizer().adapt(sentences)
    >>> listener = SentenceListener(tokenizer, minimum_count=1).fit(sentences, [3, 3, 7, 7])
    >>> listener.classes[listener.log_posteriors(["a blue crown."]).argmax(axis=1)].tolist()
    [7]

    References:
    - [Andreas & Klein 2016](https://arxiv.org/abs/1604.00562), a speaker whose samples a listener ranks
    """

    def __init__(
        self,
        tokenizer: ExplanationTokenizer,
        minimum_count: int = 2,
        decay: float = 3.0,
        epochs: int = 12,
        seed: int = 0,
    ) -> None:
        for name, value, least in (
            ("minimum_count", minimum_count, 1),
            ("epochs", epochs, 1),
            ("decay", decay, 0),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        self.tokenizer, self.minimum_count, self.decay = tokenizer, minimum_count, decay
        self.epochs, self.seed = epochs, seed
        self.classes = np.zeros(0, "int64")

    def fit(self, sentences: Sequence[str], labels: Sequence[int]) -> SentenceListener:
        """Learns from sentences and the class id of each; returns the listener itself.

        Raises:
            ValueError: if there are not as many labels as sentences, or fewer than two classes.
        """
        if len(sentences) != len(labels):
            raise ValueError(f"there are {len(sentences)} sentences and {len(labels)} labels")
        self.classes, targets = np.unique(labels, return_inverse=True)
        if len(self.classes) < 2:
            raise ValueError(f"labels must name at least two classes, got {self.classes.tolist()}")
        read = self._read(sentences)
        counts = collections.Counter(feature for of_one in read for feature in of_one)
        kept = sorted(feature for feature, count in counts.items() if count >= self.minimum_count)
        self._number = {feature: number for number, feature in enumerate(kept, start=1)}  # 0 is padding
        self._model = self._build(self.decay / 2 / len(read))
        order = np.random.default_rng(self.seed)
        rows = np.concatenate([order.permutation(len(read)) for _ in range(self.epochs)])
        steps = -(-len(rows) // 256)
        self._model.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.PolynomialDecay(0.02, steps, 0.0)),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        self._model.fit(self._features(read)[rows], targets[rows], batch_size=256, shuffle=False, verbose=0)
        return self

    def log_posteriors(self, sentences: Sequence[str]) -> np.ndarray:
        """Returns the logarithm of each class's probability given a sentence, `(sentences, classes)`.

        Raises:
            ValueError: if the listener has not learned yet.
        """
        if not len(self.classes):
            raise ValueError("the listener knows no class yet; call listener.fit(sentences, labels) first")
        features = self._features(self._read(sentences))
        parts = np.split(features, range(_ROWS, len(features), _ROWS))
        scores = keras.ops.concatenate([self._model(part) for part in parts])
        return keras.ops.convert_to_numpy(keras.ops.log_softmax(scores))

    def _read(self, sentences: Sequence[str]) -> list[set[tuple[int, ...]]]:
        """Returns the words and pairs of each sentence; its start and end are words of a pair."""
        start, end = self.tokenizer.start_id, self.tokenizer.end_id
        read = []
        for ids in self.tokenizer.tokenize(list(sentences)).to_list():
            read.append({(word,) for word in ids} | set(zip([start, *ids], [*ids, end], strict=True)))
        return read

    def _features(self, read: list[set[tuple[int, ...]]]) -> np.ndarray:
        rows = [sorted(self._number[f] for f in of_one if f in self._number) for of_one in read]
        features = np.zeros((len(rows), max(1, *map(len, rows))), "int32")
        for row, numbers in zip(features, rows, strict=True):
            row[: len(numbers)] = numbers
        return features

    def _build(self, decay: float) -> keras.Model:
        features = keras.Input((None,), dtype="int32")
        embedding = keras.layers.Embedding(
            len(self._number) + 1,
            len(self.classes),
            embeddings_initializer="zeros",
            embeddings_regularizer=keras.regularizers.L2(decay),
        )
        present = keras.ops.cast(keras.ops.not_equal(features, 0), "float32")[..., None]
        return keras.Model(features, keras.ops.sum(embedding(features) * present, axis=1))
