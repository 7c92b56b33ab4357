"""Vectors of sentences: what a BERT makes of their tokens, averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.language.tokenizer import as_lists

if TYPE_CHECKING:
    import keras_nlp

_IDS = tf.TensorSpec([None, None], "int32")


class SentenceEncoder:
    """Makes vectors of length 1 of sentences.

    The vector of a sentence is the mean over its tokens, [CLS] and [SEP] among them and padding not, scaled
    to length 1, so that the product of two vectors is the cosine between them.

    Args:
        backbone: a BERT.
        tokenizer: its tokenizer.
        max_tokens: of a sentence; what is longer is cut off. By default 256, or as many as the backbone has
            positions for.

    Attributes:
        width: how many numbers a vector has.

    Raises:
        ValueError: if the backbone has not so many positions.

    Example:

    >>> encoder = SentenceEncoder(backbone, tokenizer)  # doctest: +SKIP
    >>> encoder.encode(["A dog runs.", "An animal moves."]).shape  # doctest: +SKIP
    (2, 384)

    References:
        - [Reimers and Gurevych, 2019: Sentence-BERT](https://arxiv.org/abs/1908.10084), section 3
    """

    def __init__(
        self,
        backbone: keras_nlp.models.BertBackbone,
        tokenizer: keras_nlp.models.BertTokenizer,
        max_tokens: int | None = None,
    ) -> None:
        positions = backbone.max_sequence_length
        max_tokens = min(256, positions) if max_tokens is None else max_tokens
        if not 2 < max_tokens <= positions:
            raise ValueError(
                f"max_tokens must be at least 3, and at most the backbone's {positions}, got {max_tokens}"
            )
        self.backbone, self.tokenizer, self.max_tokens = backbone, tokenizer, max_tokens
        self.width = backbone.hidden_dim
        tokens, mask = backbone.output["sequence_output"], backbone.input["padding_mask"]
        mean = keras.layers.GlobalAveragePooling1D(name="mean")(tokens, mask=mask)
        vector = keras.layers.UnitNormalization(name="vector")(mean)
        model = keras.Model(backbone.input, vector, name="sentence_vectors")

        def vectors(token_ids: tf.Tensor, padding_mask: tf.Tensor) -> tf.Tensor:
            segments = tf.zeros_like(token_ids)
            inputs = {"token_ids": token_ids, "segment_ids": segments, "padding_mask": padding_mask}
            return model(inputs, training=False)

        self._vectors = tf.function(vectors, input_signature=[_IDS, _IDS])  # one graph for all lengths

    def ids(self, sentences: Sequence[str]) -> list[list[int]]:
        """Returns the ids of each sentence's tokens, from [CLS] to [SEP].

        Args:
            sentences: one or more.
        """
        start, end = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        found = as_lists(self.tokenizer(list(sentences)))
        return [[start, *map(int, one[: self.max_tokens - 2]), end] for one in found]

    def vectors(self, ids: Sequence[Sequence[int]]) -> np.ndarray:
        """Computes the vectors of one batch of sentences.

        Args:
            ids: of their tokens.

        Returns:
            float32 `(sentences, width)`.
        """
        padded = np.full((len(ids), max(map(len, ids))), self.tokenizer.pad_token_id, "int32")
        mask = np.zeros_like(padded)
        for row, one in enumerate(ids):
            padded[row, : len(one)], mask[row, : len(one)] = one, 1
        return self._vectors(padded, mask).numpy()

    def encode(self, sentences: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """Computes the vectors of sentences, those of like length together.

        Args:
            sentences: any number.
            batch_size: how many at once.

        Returns:
            float32 `(sentences, width)`, in the order of the sentences.
        """
        if isinstance(sentences, str):
            raise ValueError(f"sentences must be a list of sentences, got the text {sentences!r}")
        encoded = np.zeros((len(sentences), self.width), "float32")
        ids = self.ids(sentences) if len(sentences) else []
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            encoded[rows] = self.vectors([ids[row] for row in rows])
        return encoded
