"""`ContrastedDecoder`: words weighed against what the decoder itself would say of rival classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.speakers.speaker_decoder import SpeakerDecoder

_SAID, _EVIDENCE = "speaker_said", "speaker_evidence"


@keras.saving.register_keras_serializable(package="interpnet_tf")
class ContrastedDecoder(SpeakerDecoder):
    """A decoder that prefers the words it would not say of the nearest rivals of the predicted class.

    The rivals are the classes that the classifier thought of next, and stand for themselves by their mean
    r(x) over the training examples. A listener who knows the decoder believes after the words w_1 … w_(t-1)
    in the example (0) or in one of the rivals (1 … k) by B(j) ∝ Π p(w_i | r_j, w_1 … w_(i-1)), and

        S(w) ∝ p(w | r_0, …) · (p(w | r_0, …) / Σ_j B(j) p(w | r_j, …)) ^ rationality

    which is the emitter-suppressor beam search of Vedantam et al. with a mixture of rivals in the place of
    their one distractor, weighted by how much each could still be meant.

    Args:
        decoder, known, scores, width: see `SpeakerDecoder`. The weight `mean_r` `(known, width)` holds the
            mean r(x) of each known class as the inner decoder reads it.
        rivals: how many rivals a sentence has, fewer than there are known classes. The inner decoder runs
            once for the example and once for each.
        rationality, **kwargs: see `SpeakerDecoder`.

    Example:

    >>> from interpnet_tf import LRCNDecoder
    >>> inner = LRCNDecoder(50, units=8)
    >>> decoder = ContrastedDecoder(inner, known=[0, 2], scores=(3, 6), width=6, rivals=1)
    >>> decoder({"r": keras.ops.ones((2, 6)), "tokens": keras.ops.ones((2, 7), "int32")}).shape
    TensorShape([2, 7, 50])

    References:
    - [Vedantam et al. 2017](https://arxiv.org/abs/1701.02870), section 3
    - [Cohn-Gordon et al. 2018](https://arxiv.org/abs/1804.05417)
    """

    def __init__(
        self,
        decoder: ExplanationDecoder,
        known: Sequence[int],
        scores: tuple[int, int],
        width: int,
        rivals: int = 3,
        rationality: float = 1.0,
        **kwargs,
    ) -> None:
        super().__init__(decoder, known, scores, width, rationality, **kwargs)
        if not 1 <= rivals < len(self.known):
            raise ValueError(
                f"rivals must be at least 1 and fewer than the {len(self.known)} known classes, got {rivals}"
            )
        self.rivals = rivals

    def build(self, input_shape: dict[str, tuple]) -> None:
        super().build(input_shape)
        shape = (len(self.known), self.width)
        self.mean_r = self.add_weight(shape, "zeros", trainable=False, autocast=False, name="mean_r")

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> tf.Tensor:
        tokens, each = inputs["tokens"], 1 + self.rivals
        rows = {"r": self.contrasted(inputs["r"]), "tokens": tf.repeat(tokens, each, axis=0)}
        said = tf.nn.log_softmax(self.decoder(rows, training=training))
        of_next = tf.gather(said[:, :-1], rows["tokens"][:, 1:], axis=2, batch_dims=2)
        evidence = tf.cumsum(tf.pad(of_next, [[0, 0], [1, 0]]), axis=1)
        return self.weigh(self._by_example(said), self._by_example(evidence))

    def contrasted(self, r: tf.Tensor) -> tf.Tensor:
        """Returns each example's r and, behind it, those of its rivals: `(batch * (1 + rivals), width)`."""
        ranking = tf.argsort(self.known_scores(r), axis=1, direction="DESCENDING", stable=True)
        rivals = tf.gather(tf.convert_to_tensor(self.mean_r), ranking[:, 1 : 1 + self.rivals])
        rows = tf.concat([r[:, None, : self.width], rivals], axis=1)
        return tf.reshape(rows, (-1, self.width))

    def weigh(self, said: tf.Tensor, evidence: tf.Tensor) -> tf.Tensor:
        """Returns logits of S, `(batch, …, vocabulary)`.

        Args:
            said: log-probabilities of the next word, `(batch, 1 + rivals, …, vocabulary)`.
            evidence: of the words before, `(batch, 1 + rivals, …)`.
        """
        belief = tf.nn.log_softmax(evidence, axis=1)[..., None]
        expected = tf.reduce_logsumexp(belief + said, axis=1)
        return said[:, 0] + self.rationality * (said[:, 0] - expected)

    def folded(self, weights: Mapping[str, Any]) -> _Contrasted:
        return _Contrasted(self, self.inner(weights))

    def _by_example(self, part: tf.Tensor) -> tf.Tensor:
        return tf.reshape(part, tf.concat([[-1, 1 + self.rivals], tf.shape(part)[1:]], axis=0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rivals": self.rivals}


class _Contrasted:
    """`start` and `step` of a `ContrastedDecoder`; its state holds an example and its rivals in one row."""

    def __init__(self, speaker: ContrastedDecoder, inner: Any) -> None:
        self.speaker, self.inner, self.each = speaker, inner, 1 + speaker.rivals

    def start(self, r: tf.Tensor) -> dict[str, tf.Tensor]:
        state = self._join(self.inner.start(self.speaker.contrasted(r)))
        count = tf.shape(r)[0]
        said = tf.zeros(
            (count, self.each, self.speaker.vocabulary_size)
        )  # of the start id, which says nothing
        return {**state, _SAID: said, _EVIDENCE: tf.zeros((count, self.each))}

    def step(self, token: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        tokens = tf.repeat(token, self.each)
        own = {name: part for name, part in state.items() if name not in (_SAID, _EVIDENCE)}
        own = {name: tf.reshape(part, (-1, *part.shape[2:])) for name, part in own.items()}
        logits, own = self.inner.step(tokens, own)
        heard = tf.gather(state[_SAID], tf.reshape(tokens, (-1, self.each)), axis=2, batch_dims=2)
        evidence = state[_EVIDENCE] + heard
        said = tf.reshape(tf.nn.log_softmax(logits), (-1, self.each, self.speaker.vocabulary_size))
        return self.speaker.weigh(said, evidence), {**self._join(own), _SAID: said, _EVIDENCE: evidence}

    def _join(self, state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {name: tf.reshape(part, (-1, self.each, *part.shape[1:])) for name, part in state.items()}
