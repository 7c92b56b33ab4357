"""Training of the networks that read sentences, and what they know then."""

from __future__ import annotations

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.sentence_batches import WORDS, BucketedSentences
from interpnet_tf.fitting.optimizers import FusedAdam
from interpnet_tf.language.sentence_models import MeanOverWords
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.training.schedules import PaperSchedule
from interpnet_tf.training.stages import fit_resumable

_LONGEST = 64  # words of a sentence that are read


class NextWords(BucketedSentences):
    """Batches `(ids, ids of the next words)` of the sentences of a data set, for a `language_model`.

    Args:
        dataset: the examples; those without a sentence play no part.
        tokenizer: adapted.
        batch_size, shuffle, seed: see `BucketedSentences`.
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
        ids = [row[:_LONGEST] for row in tokenizer.tokenize(sentences).to_list()]
        special = (tokenizer.start_id, tokenizer.end_id, tokenizer.pad_id)
        super().__init__(ids, *special, batch_size, shuffle, seed)
        self.labels = np.repeat(dataset.labels, [len(of_one) for of_one in dataset.explanations])

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.words(rows)

    def signature(self) -> tuple[tf.TensorSpec, tf.TensorSpec]:
        return WORDS, WORDS


class LabelledSentences(NextWords):
    """Batches `(ids, labels)` of the same sentences, for a `sentence_classifier`."""

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.words(rows)[1], self.labels[rows]

    def signature(self) -> tuple[tf.TensorSpec, tf.TensorSpec]:
        return WORDS, tf.TensorSpec((None,), tf.int32)


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
