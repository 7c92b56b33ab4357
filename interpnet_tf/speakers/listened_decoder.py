"""`ListenedDecoder`: words weighed by what a listener makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.speakers.speaker_decoder import SpeakerDecoder

_TARGET, _EVIDENCE = "speaker_target", "speaker_evidence"


@keras.saving.register_keras_serializable(package="interpnet_tf")
class ListenedDecoder(SpeakerDecoder):
    """A decoder whose words a literal listener hears, who guesses the class after each of them.

    The listener knows how often each word is said of each class and hears words as independent (naive Bayes).
    After the words w_1 … w_(t-1) it believes in class c by

        B(c) ∝ Π P(w_i | c)

    and the speaker says the next word w of the target class with the probability

        S(w) ∝ p(w | r(x), w_1 … w_(t-1)) · (P(w | target) / Σ_c B(c) P(w | c)) ^ rationality

    that is, in proportion to the listener's belief in the target after w. The more certain the listener is
    already, the less a word can win, and the more freely the inner decoder speaks.

    Args:
        decoder, known, scores, width, rationality, **kwargs: see `SpeakerDecoder`. The weight `likelihood`
            `(vocabulary, known)` holds P(w | c), see `word_likelihood`.

    Example:

    >>> from interpnet_tf import LRCNDecoder
    >>> decoder = ListenedDecoder(LRCNDecoder(50, units=8), known=[0, 2], scores=(3, 6), width=6)
    >>> decoder({"r": keras.ops.ones((2, 6)), "tokens": keras.ops.ones((2, 7), "int32")}).shape
    TensorShape([2, 7, 50])
    >>> decoder.likelihood.assign(word_likelihood([[4, 5], [4, 6]], [0, 2], [0, 2], 50))  # doctest: +SKIP

    References:
    - [Frank & Goodman 2012](https://doi.org/10.1126/science.1218633), literal listener and rational speaker
    - [Cohn-Gordon et al. 2018](https://arxiv.org/abs/1804.05417), word by word
    - [Krause et al. 2021, GeDi](https://arxiv.org/abs/2009.06367), with class-conditional language models
    """

    def build(self, input_shape: dict[str, tuple]) -> None:
        super().build(input_shape)
        shape = (self.vocabulary_size, len(self.known))
        self.likelihood = self.add_weight(shape, "ones", trainable=False, autocast=False, name="likelihood")

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> tf.Tensor:
        r, tokens = inputs["r"], inputs["tokens"]
        logits = self.decoder({"r": r[:, : self.width], "tokens": tokens}, training=training)
        evidence = tf.cumsum(tf.gather(tf.math.log(self.likelihood), tokens), axis=1)
        return self.weigh(logits, evidence, self.target(r)[:, None])

    def target(self, r: tf.Tensor) -> tf.Tensor:
        """Returns 1 for the class to be recognized and 0 for the other known ones, `(batch, known)`."""
        return tf.one_hot(tf.argmax(self.known_scores(r), axis=1), len(self.known))

    def weigh(self, logits: tf.Tensor, evidence: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        """Returns logits of S, of the inner decoder's logits.

        Args:
            logits: float32 `(…, vocabulary)`.
            evidence: log-likelihood of the words before under each class, `(…, known)`.
            target: see `target`; `(…, known)`.
        """
        likelihood = tf.transpose(tf.convert_to_tensor(self.likelihood))
        of_target = tf.linalg.matmul(target, tf.math.log(likelihood))
        expected = tf.math.log(tf.linalg.matmul(tf.nn.softmax(evidence), likelihood))
        return tf.nn.log_softmax(logits) + self.rationality * (of_target - expected)

    def folded(self, weights: Mapping[str, Any]) -> _Listened:
        return _Listened(self, self.inner(weights))


class _Listened:
    """`start` and `step` of a `ListenedDecoder`."""

    def __init__(self, speaker: ListenedDecoder, inner: Any) -> None:
        self.speaker, self.inner = speaker, inner

    def start(self, r: tf.Tensor) -> dict[str, tf.Tensor]:
        target = self.speaker.target(r)
        state = self.inner.start(r[:, : self.speaker.width])
        return {**state, _TARGET: target, _EVIDENCE: tf.zeros_like(target)}

    def step(self, token: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        own = {name: part for name, part in state.items() if name not in (_TARGET, _EVIDENCE)}
        logits, own = self.inner.step(token, own)
        evidence = state[_EVIDENCE] + tf.math.log(tf.gather(self.speaker.likelihood, token))
        logits = self.speaker.weigh(logits, evidence, state[_TARGET])
        return logits, {**own, _TARGET: state[_TARGET], _EVIDENCE: evidence}


def word_likelihood(
    sentences: Sequence[Sequence[int]],
    labels: Sequence[int],
    known: Sequence[int],
    vocabulary_size: int,
    smoothing: float = 50.0,
) -> np.ndarray:
    """Estimates how often each word is said of each class.

    P(w | c) = (n(w, c) + smoothing · P(w)) / (n(c) + smoothing), where n counts words, ends of sentences
    included, and P(w) is the share of w over all classes, itself never 0. To a listener padding, start and
    unknown words say nothing: their likelihood is 1 for all classes.

    Args:
        sentences: the ids of each sentence, without start and end.
        labels: the class id of each.
        known: the class ids of the columns.
        vocabulary_size: number of ids.
        smoothing: how many words of the average class each class is given.

    Returns:
        float32 `(vocabulary, known)`.

    Example:

    >>> table = word_likelihood([[4], [4], [5]], [0, 0, 2], [0, 2], 6, smoothing=3)
    >>> table[4].round(3)  # 2 of 4 words against 0 of 2, and of all 6 words 2
    array([0.429, 0.2  ], dtype=float32)
    """
    column = {class_id: index for index, class_id in enumerate(known)}
    counts = np.zeros((vocabulary_size, len(known)))
    for ids, label in zip(sentences, labels, strict=True):
        np.add.at(counts[:, column[label]], [*ids, ExplanationTokenizer.end_id], 1)
    silent = [ExplanationTokenizer.pad_id, ExplanationTokenizer.start_id, ExplanationTokenizer.unknown_id]
    counts[silent] = 0
    # A word never said has half a mention: the least that keeps every likelihood above 0.
    share = np.maximum(counts.sum(axis=1), 0.5) / counts.sum()
    likelihood = (counts + smoothing * share[:, None]) / (counts.sum(axis=0) + smoothing)
    likelihood[silent] = 1
    return likelihood.astype("float32")
