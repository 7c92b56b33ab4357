"""The contract that every decoder meets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from interpnet_tf.decoders.path_gradients import path_gradients


class ExplanationDecoder(keras.layers.Layer):
    """Base class of the decoders: r(x) and the words so far in, a score for every next word out.

    A subclass implements three methods that compute the same function in two ways: `call` over a whole
    sentence at once, for training (teacher forcing), and `start` with `step` word by word, for generation.
    `step` must give, up to rounding, the logits that `call` gives at the same position. They run
    in graphs without AutoGraph, as layers of Keras do: what depends on numbers is chosen by `keras.ops.where`
    or `keras.ops.cond`, and not by `if`. A decoder that cannot go on for ever sets its attribute `max_length`
    to the most words it reads; `None` is no limit.

    Args:
        vocabulary_size: number of token ids, special ones included.
        **kwargs: those of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: dict of `"r"`, float `(batch, width)`, and `"tokens"`, int `(batch, words)`: the start id
            followed by the sentence.
        training: whether dropout is on.

    Example:

    A decoder that ignores the words so far. All weights are made in `build`, and the class is registered with
    Keras, so that a saved model is loaded; `interpnet_tf.testing.check_decoder_contract` tells what is amiss:

    ```python
    @keras.saving.register_keras_serializable(package="birds")
    class BagOfWords(ExplanationDecoder):
        def __init__(self, vocabulary_size, **kwargs):
            super().__init__(vocabulary_size, **kwargs)
            self.dense = keras.layers.Dense(vocabulary_size)

        def build(self, input_shape):
            self.dense.build(input_shape["r"])

        def call(self, inputs, training=None):
            words = keras.ops.shape(inputs["tokens"])[1]
            return keras.ops.repeat(self.dense(inputs["r"])[:, None], words, axis=1)

        def start(self, r):
            return {"logits": self.dense(r)}

        def step(self, token, state):
            return state["logits"], state
    ```
    """

    max_length: int | None = None
    # The most sentences times points at which `path_gradients` is fast; `None`: it takes one after another.
    path_rows: int | None = None

    def __init__(self, vocabulary_size: int, **kwargs) -> None:
        super().__init__(**kwargs)
        if vocabulary_size < 5:
            raise ValueError(
                f"vocabulary_size must be at least 5 (four special ids and a word), got {vocabulary_size}; "
                "adapt the tokenizer to sentences first"
            )
        self.vocabulary_size = vocabulary_size

    def read_layers(self, slices: Mapping[str, slice]) -> None:
        """Tells which part of r is which layer; `InterpNet` does so before it builds the decoder.

        A decoder to which r is one vector need not implement this: the default ignores it.

        Args:
            slices: the slice of r that holds each layer, by the layer's name.
        """

    def check_length(self, max_length: int) -> None:
        """Raises a `ValueError` if the decoder cannot read as many as `max_length` words."""
        if self.max_length is not None and max_length > self.max_length:
            raise ValueError(
                f"max_length must be at most {self.max_length}, that of the decoder, got {max_length}; "
                f"build the {type(self).__name__} with a larger max_length"
            )

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Returns the logits `(batch, words, vocabulary)` of the word after each of `inputs["tokens"]`."""
        raise NotImplementedError(f"{type(self).__name__} must implement call(inputs, training)")

    def start(self, r: Any) -> dict[str, Any]:
        """Returns the state before the first word.

        Args:
            r: float `(batch, width)`.

        Returns:
            A dict of tensors whose first axis is the batch.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement start(r)")

    def step(self, token: Any, state: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Reads one word.

        Args:
            token: int `(batch,)`, the word read (the start id first).
            state: what `start` or the step before returned.

        Returns:
            The float32 logits `(batch, vocabulary)` of the next word, and the new state, of the shapes and
            types of the old.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement step(token, state)")

    def fold(self) -> dict[str, Any]:
        """Returns tensors, computed from the weights alone, with which `folded` says sentences faster.

        For many sentences it pays to multiply weights out, join or cast them once. A decoder need not: the
        default returns no tensors, and generation uses its `start` and `step`.
        """
        return {}

    def folded(self, weights: Mapping[str, Any]) -> Any:
        """Returns an object with `start` and `step` like the decoder's own, up to rounding.

        Args:
            weights: what `fold` returned. The weights that the decoder has gained since play no part.
        """
        del weights
        return self

    def path_gradients(
        self, begin: Any, end: Any, tokens: Any, words: Any, lengths: Any, points: Any, weights: Any
    ) -> Any:
        """Returns mean gradients of the words' log-probabilities by r along a path, for attributions.

        A decoder need not implement this: the default takes the gradients of its `call`. One that knows how
        r enters it can be faster, and must give the same, up to rounding. Only where the gradient jumps
        between two points it may give more: means that are nearer to the integral along the path.

        Args:
            begin, end, tokens, words, lengths, points, weights: see `path_gradients.path_gradients`.

        Returns:
            float32 `(sentences, words, width)`.
        """

        def read(r: Any, said: Any) -> Any:
            return self({"r": r, "tokens": said}, training=False)

        return path_gradients(read, begin, end, tokens, words, lengths, points, weights)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size}
