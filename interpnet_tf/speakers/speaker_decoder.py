"""What the decoders of pragmatic speakers share: an inner decoder, and a class to be recognized by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder


class SpeakerDecoder(ExplanationDecoder):
    """Base class of decoders that wrap another and say what tells the predicted class from others.

    r holds what the inner decoder reads and, in it or behind it, the classifier's scores. The target is the
    class with the highest score among those of which sentences are known: the predicted class, wherever
    someone has described it. A wrapped decoder is a decoder, so that an `InterpNet` with it explains, is
    saved and is exported as any other.

    Args:
        decoder: the inner decoder, whose weights are shared, not copied.
        known: the classes, as class ids, that a listener may think of; two or more.
        scores: where in r the classifier's scores begin and end.
        width: how many entries of r, from the first, the inner decoder reads.
        rationality: how much it matters to be understood; 0 leaves the inner decoder's words as they are.
        **kwargs: those of `keras.layers.Layer`.

    Raises:
        ValueError: if an argument is out of its range.
    """

    def __init__(
        self,
        decoder: ExplanationDecoder,
        known: Sequence[int],
        scores: tuple[int, int],
        width: int,
        rationality: float = 1.0,
        **kwargs,
    ) -> None:
        super().__init__(decoder.vocabulary_size, **kwargs)
        if rationality < 0:
            raise ValueError(f"rationality must be at least 0, got {rationality}")
        known, (begin, end) = [int(class_id) for class_id in known], scores
        if len(set(known)) < 2 or min(known) < 0 or max(known) >= end - begin:
            raise ValueError(
                f"known must name at least two of the {end - begin} classes whose scores r holds, got {known}"
            )
        self.decoder, self.known, self.scores = decoder, known, [begin, end]
        self.width, self.rationality, self.max_length = width, rationality, decoder.max_length

    def build(self, input_shape: dict[str, tuple]) -> None:
        if not self.decoder.built:
            self.decoder.build({**input_shape, "r": (*input_shape["r"][:-1], self.width)})
        options = {"trainable": False, "autocast": False}
        classes = self.scores[1] - self.scores[0]
        # Of the model's standardization of r, which is undone before scores are compared.
        self.score_mean = self.add_weight((classes,), "zeros", name="score_mean", **options)
        self.score_scale = self.add_weight((classes,), "ones", name="score_scale", **options)

    def known_scores(self, r: Any) -> tf.Tensor:
        """Returns the classifier's scores of the known classes, `(batch, known)`, out of r."""
        begin, end = self.scores
        scores = r[:, begin:end] / self.score_scale + self.score_mean
        return tf.gather(scores, tf.constant(self.known), axis=1)

    def start(self, r: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.folded({}).start(r)

    def step(self, token: Any, state: dict[str, Any]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return self.folded({}).step(token, state)

    def fold(self) -> dict[str, Any]:
        return self.decoder.fold()

    def folded(self, weights: Mapping[str, Any]) -> Any:
        """Returns an object whose `start` and `step` use those of the folded inner decoder."""
        raise NotImplementedError(f"{type(self).__name__} must implement folded(weights)")

    def inner(self, weights: Mapping[str, Any]) -> Any:
        """Returns the inner decoder, folded where there are weights for it."""
        return self.decoder.folded(weights) if weights else self.decoder

    def compute_output_shape(self, input_shape: dict[str, tuple]) -> tuple:
        return (*input_shape["tokens"], self.vocabulary_size)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["vocabulary_size"]  # the inner decoder's
        own = {name: getattr(self, name) for name in ("known", "scores", "width", "rationality")}
        decoder = keras.saving.serialize_keras_object(self.decoder)
        decoder.pop("build_config", None)  # `build` builds it
        return {**config, **own, "decoder": decoder}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> SpeakerDecoder:
        decoder = keras.saving.deserialize_keras_object(config["decoder"], custom_objects)
        return cls(**{**config, "decoder": decoder})
