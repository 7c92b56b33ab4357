"""`InFloat32`: a model whose decoder computes in float32, whatever the policy it was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.generation.scoring import by_sentence


class InFloat32:
    """Computes what an `InterpNet` does with a decoder that rounds to float32.

    In mixed precision, log-probabilities and gradients are rounded so coarsely that attributions would miss
    more by it than by all else. The weights are float32 there too; a copy of the decoder computes with them.

    Args:
        model: the `InterpNet`.
    """

    def __init__(self, model: ExplainingModel) -> None:
        self._model = model
        self._copy: ExplanationDecoder | None = None

    @property
    def decoder(self) -> ExplanationDecoder:
        """The model's own where it computes in float32, else the copy of it that `update` made."""
        return self._model.decoder if self._copy is None else self._copy

    @property
    def r_scale(self) -> Any:
        return self._model.r_scale

    def standardize(self, r: Any) -> tf.Tensor:
        return self._model.standardize(r)

    def __call__(self, inputs: dict[str, Any], training: bool | None = None) -> tf.Tensor:
        return self.decoder({**inputs, "r": self.standardize(inputs["r"])}, training=training)

    def update(self) -> None:
        """Gives the copy the weights that the decoder has now; call it before graphs are run."""
        own = self._model.decoder
        if own.compute_dtype == "float32":
            return
        if self._copy is None:
            copy = type(own).from_config({**own.get_config(), "dtype": "float32"})
            introspector = self._model.introspector
            copy.read_layers(introspector.slices)
            copy({"r": tf.zeros((1, introspector.width)), "tokens": tf.zeros((1, 2), tf.int32)})
            self._copy = copy
        for variable, value in zip(self._copy.weights, own.weights, strict=True):
            variable.assign(value)


def log_probabilities(
    model: ExplainingModel, r: np.ndarray, ids: Sequence[Sequence[int]], batch_size: int
) -> list[np.ndarray]:
    """Returns what `scoring.log_probabilities` does, computed in float32."""
    model._in_float32.update()
    return by_sentence(model._score_in_float32, (r,), ids, batch_size)
