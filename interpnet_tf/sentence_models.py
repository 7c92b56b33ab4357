"""Networks that read sentences: which class does a sentence speak of, and what word comes next?"""

from __future__ import annotations

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.pipeline import SentenceBatches
from interpnet_tf.decoders.recurrence import forget_gate_open, lstm_sequence
from interpnet_tf.optimizers import FusedAdam
from interpnet_tf.schedules import PaperSchedule
from interpnet_tf.tokenizer import ExplanationTokenizer
from interpnet_tf.training import fit_resumable

_LONGEST = 64  # words of a sentence that are read


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


class LabelledSentences(SentenceBatches):
    """Batches `(ids, labels)` of the sentences of a data set, for a `sentence_classifier`.

    Args:
        dataset: the examples; those without a sentence play no part.
        tokenizer: adapted.
        batch_size, shuffle, seed: see `SeededBatches`; a row is a sentence.
    """

    def __init__(
        self,
        dataset: ExplanationDataset,
        tokenizer: ExplanationTokenizer,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int = 0,
    ) -> None:
        sentences = [sentence for of_one in dataset.explanations for sentence in of_one]
        if not sentences:
            raise ValueError("no example has an explanation; give at least one sentence to learn from")
        owners = np.repeat(np.arange(len(dataset)), [len(of_one) for of_one in dataset.explanations])
        ids = [row[:_LONGEST] for row in tokenizer.tokenize(sentences).to_list()]
        special = (tokenizer.start_id, tokenizer.end_id, tokenizer.pad_id)
        super().__init__(dataset.labels[:, None], owners, ids, *special, batch_size, shuffle, seed)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs, targets = super().batch(rows)
        return targets, inputs["r"][:, 0]

    def signature(self) -> tuple[tf.TensorSpec, tf.TensorSpec]:
        return tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)


class NextWords(LabelledSentences):
    """Batches `(ids, ids of the next words)` of the same sentences, for a `language_model`."""

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs, targets = SentenceBatches.batch(self, rows)
        return inputs["tokens"], targets

    def signature(self) -> tuple[tf.TensorSpec, tf.TensorSpec]:
        words = tf.TensorSpec((None, None), tf.int32)
        return words, words


def train_sentence_model(
    model: keras.Model,
    tokenizer: ExplanationTokenizer,
    train: ExplanationDataset,
    valid: ExplanationDataset,
    epochs: int = 10,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    seed: int = 0,
    directory: str | os.PathLike | None = None,
    callbacks: list[Any] | None = None,
) -> list[dict[str, float]]:
    """Trains what `sentence_classifier` or `language_model` built, and brings the best weights back.

    Args:
        model: the model.
        tokenizer: adapted.
        train, valid: data with sentences.
        epochs: the most epochs.
        batch_size: sentences a batch.
        learning_rate: of Adam at the start, with the paper's schedule.
        seed: of the order of the sentences.
        directory: where the checkpoints go, see `Checkpoints`.
        callbacks: further Keras callbacks.

    Returns:
        One dict an epoch: loss, val_loss and the learning rate; accuracies of a classifier.
    """
    if len(model.output_shape) == 3:  # a word after each word
        batches = NextWords
        loss: Any = keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, ignore_class=ExplanationTokenizer.pad_id
        )
        metrics = []
    else:
        batches, loss, metrics = LabelledSentences, "sparse_categorical_crossentropy", ["accuracy"]
    model.compile(FusedAdam(learning_rate), loss, metrics=metrics, jit_compile=False)
    return fit_resumable(
        model,
        batches(train, tokenizer, batch_size, shuffle=True, seed=seed),
        batches(valid, tokenizer, batch_size),
        PaperSchedule(stop_after=2, directory=directory),
        epochs,
        callbacks,
    )


def sentence_accuracy(
    classifier: keras.Model, tokenizer: ExplanationTokenizer, dataset: ExplanationDataset
) -> float:
    """Returns how often a sentence of a data set tells its class, the mean over sentences."""
    batches = LabelledSentences(dataset, tokenizer, batch_size=256)
    right = [np.asarray(classifier(ids, training=False)).argmax(axis=-1) == labels for ids, labels in batches]
    return float(np.concatenate(right).mean())


def class_vectors(
    model: keras.Model, tokenizer: ExplanationTokenizer, dataset: ExplanationDataset
) -> np.ndarray:
    """Returns a vector for each class: the mean state of a language model over the class's sentences.

    The mean is over a sentence's words, then over sentences. A class without sentences gets the mean of the
    vectors of the others, which says nothing.

    Args:
        model: a trained `language_model`.
        tokenizer: that of its training.
        dataset: the sentences.

    Returns:
        float32 `(classes, units)`.

    References:
    - [Hendricks et al. 2016, section 3.1](https://arxiv.org/abs/1603.08507)
    """
    states = keras.Model(model.input, model.get_layer("states").output)
    mean = MeanOverWords()
    sums = np.zeros((len(dataset.class_names), states.output_shape[-1]))
    counts = np.zeros(len(dataset.class_names))
    for ids, labels in LabelledSentences(dataset, tokenizer, batch_size=256):
        begun = np.concatenate([np.full((len(ids), 1), tokenizer.start_id, "int32"), ids], axis=1)
        after_words = states(begun, training=False)[:, 1:]
        np.add.at(sums, labels, mean([after_words, tf.convert_to_tensor(ids)]).numpy())
        np.add.at(counts, labels, 1)
    vectors = sums / np.maximum(counts, 1)[:, None]
    vectors[counts == 0] = vectors[counts > 0].mean(axis=0)
    return vectors.astype("float32")
