"""`ExplainingModel`: what an `InterpNet` is to the rooms beneath it, which do not import it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.introspection.introspector import Introspector
from interpnet_tf.language.tokenizer import ExplanationTokenizer


class ExplainingModel(Protocol):
    """A classifier whose activations form r(x), and a decoder that says sentences of r(x).

    Attributes:
        classifier: gives the class.
        introspector: gives the activations by name, and r(x).
        tokenizer: knows the words of the ids.
        decoder: says them.
        class_names: one name a class.
        max_length: the most ids of a sentence.
        output_kind: what the classifier gives, see `probabilities.output_kind`.
        r_mean, r_scale: how r(x) is shifted and scaled for the decoder, float32 `(width,)`.
        _explain, _r, _score, _attend, _say, _diverge: graphs that are traced once, see `Traces`.
        _in_float32, _score_in_float32, _path_gradients, _position_shares, _decision_gradients, _decide: those
            of attributions.
    """

    classifier: keras.Model
    introspector: Introspector
    tokenizer: ExplanationTokenizer
    decoder: ExplanationDecoder
    class_names: list[str]
    max_length: int
    output_kind: str
    r_mean: Any
    r_scale: Any
    _explain: Callable[..., Any]
    _r: Callable[..., tf.Tensor]
    _score: Callable[..., tf.Tensor]
    _attend: Callable[..., tf.Tensor]
    _say: Callable[..., Any]
    _diverge: Callable[..., tf.Tensor]
    _in_float32: Any
    _score_in_float32: Callable[..., tf.Tensor]
    _path_gradients: Callable[..., tf.Tensor]
    _position_shares: Callable[..., list[tf.Tensor]]
    _decision_gradients: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    _decide: Callable[..., tf.Tensor]

    def __call__(self, inputs: dict[str, Any], training: bool | None = None) -> tf.Tensor:
        """Returns logits of the next words, float32 `(batch, words, vocabulary)`."""
        ...

    def standardize(self, r: Any) -> tf.Tensor:
        """Returns r(x) `(batch, width)` as the decoder reads it."""
        ...

    def introspect(self, x: Any, batch_size: int = 64) -> np.ndarray:
        """Returns r(x), float32 `(batch, width)`."""
        ...

    def explain(self, x: Any, **options: Any) -> list[Any]:
        """Returns an `Explanation` for each example."""
        ...

    def get_config(self) -> dict[str, Any]:
        """Returns what the model is built of."""
        ...

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the model of a config."""
        ...

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Sets all weights."""
        ...

    def get_weights(self) -> list[np.ndarray]:
        """Returns all weights."""
        ...
