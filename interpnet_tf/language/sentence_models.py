"""Networks that read sentences: which class does a sentence speak of, and what word comes next?"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from interpnet_tf.decoders.recurrence import forget_gate_open, lstm_sequence
from interpnet_tf.language.tokenizer import ExplanationTokenizer


@keras.saving.register_keras_serializable(package="interpnet_tf")
class SentenceLSTM(keras.layers.Layer):
    """An LSTM over words, with the recurrence of the decoders.

    Args:
        units: width of the states.
        seed: of the initial weights.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        words: float `(batch, words, width)`.

    Returns:
        The state after each word, float32 `(batch, words, units)`.

    Example:

    >>> SentenceLSTM(4)(keras.ops.ones((2, 7, 3))).shape
    TensorShape([2, 7, 4])
    """

    def __init__(self, units: int, seed: int | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.units, self.seed = units, seed

    def build(self, input_shape: tuple) -> None:
        glorot, orthogonal = keras.initializers.GlorotUniform, keras.initializers.Orthogonal
        gates = 4 * self.units
        self.kernel = self.add_weight((input_shape[-1], gates), glorot(seed=self.seed), name="kernel")
        recurrent = orthogonal(seed=self.seed)
        self.recurrent_kernel = self.add_weight((self.units, gates), recurrent, name="recurrent_kernel")
        self.bias = self.add_weight((gates,), forget_gate_open, name="bias")

    def call(self, words: Any) -> tf.Tensor:
        projected = tf.matmul(tf.transpose(words, (1, 0, 2)), self.kernel) + self.bias
        return tf.transpose(lstm_sequence(projected, tf.convert_to_tensor(self.recurrent_kernel)), (1, 0, 2))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "seed": self.seed}


@keras.saving.register_keras_serializable(package="interpnet_tf")
class MeanOverWords(keras.layers.Layer):
    """The mean of the states after a sentence's words; padding and the end do not count.

    Call arguments:
        inputs: list of the states `(batch, words, units)` and the ids `(batch, words)`.

    Returns:
        float `(batch, units)`; zeros for a sentence without words.
    """

    def call(self, inputs: list[Any]) -> tf.Tensor:
        states, ids = inputs
        said = (ids != ExplanationTokenizer.pad_id) & (ids != ExplanationTokenizer.end_id)
        said = tf.cast(said, states.dtype)[..., None]
        return tf.reduce_sum(states * said, axis=1) / tf.maximum(tf.reduce_sum(said, axis=1), 1)

    def compute_output_shape(self, input_shape: list[tuple]) -> tuple:
        states, _ = input_shape
        return (states[0], states[-1])


def sentence_classifier(
    vocabulary_size: int,
    classes: int,
    embedding_dim: int = 128,
    units: int = 256,
    dropout: float = 0.5,
    seed: int | None = None,
) -> keras.Model:
    """Builds the network that tells from a sentence alone which class it speaks of.

    Args:
        vocabulary_size: number of ids of the tokenizer.
        classes: number of classes.
        embedding_dim: width of the word embedding.
        units: of the LSTM.
        dropout: share of the embeddings and of the sentence's vector that training drops.
        seed: of the initial weights and the dropout.

    Returns:
        An uncompiled model, ids int `(batch, words)` without the start id → probabilities `(batch, classes)`.

    Example:

    >>> sentence_classifier(vocabulary_size=50, classes=3).output_shape
    (None, 3)

    References:
    - [Hendricks et al. 2016, section 3.2](https://arxiv.org/abs/1603.08507)
    """
    ids, states = _read(vocabulary_size, embedding_dim, units, dropout, seed)
    vector = MeanOverWords(name="sentence")([states, ids])
    vector = keras.layers.Dropout(dropout, seed=seed)(vector)
    glorot = keras.initializers.GlorotUniform(seed)
    output = keras.layers.Dense(classes, "softmax", kernel_initializer=glorot, name="probabilities")(vector)
    return keras.Model(ids, output, name="sentence_classifier")


def language_model(
    vocabulary_size: int,
    embedding_dim: int = 128,
    units: int = 256,
    dropout: float = 0.3,
    seed: int | None = None,
) -> keras.Model:
    """Builds an LSTM language model, which knows sentences and no picture.

    Args:
        vocabulary_size, embedding_dim, units, dropout, seed: as of `sentence_classifier`.

    Returns:
        An uncompiled model, ids int `(batch, words)` → logits of the next word `(batch, words, vocabulary)`;
        its layer "states" gives the LSTM's `(batch, words, units)`.

    Example:

    >>> language_model(vocabulary_size=50, units=8).get_layer("states").output.shape
    (None, None, 8)
    """
    ids, states = _read(vocabulary_size, embedding_dim, units, dropout, seed)
    hidden = keras.layers.Dropout(dropout, seed=seed)(states)
    glorot = keras.initializers.GlorotUniform(seed)
    logits = keras.layers.Dense(vocabulary_size, kernel_initializer=glorot, name="logits")(hidden)
    return keras.Model(ids, logits, name="language_model")


def _read(
    vocabulary_size: int, embedding_dim: int, units: int, dropout: float, seed: int | None
) -> tuple[Any, Any]:
    ids = keras.Input((None,), dtype="int32", name="ids")
    normal = keras.initializers.RandomNormal(stddev=0.5, seed=seed)
    words = keras.layers.Embedding(vocabulary_size, embedding_dim, normal, name="embedding")(ids)
    words = keras.layers.Dropout(dropout, seed=None if seed is None else seed + 1)(words)
    return ids, SentenceLSTM(units, seed=seed, name="states")(words)
