"""`FoldedTransformer`: the Transformer decoder's step in few, large products, for saying many sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf


def fold_transformer(
    blocks: list[Any], normalization: Any, embedding: tf.Tensor, positions: tf.Tensor, compute_dtype: str
) -> dict[str, tf.Tensor]:
    """Joins and multiplies out what does not depend on the sentence.

    Query, key and value are one product; the scale of attention and the gain and offset of each layer
    normalization are part of the product behind them; the output kernel is laid out for products. Whatever is
    added to a word's vector has its mean taken off, so that no layer normalization need do so.

    Args:
        blocks: keras-nlp's `TransformerDecoder` layers, which normalize first.
        normalization: the last layer normalization.
        embedding: of the words, which is the output kernel too, `(vocabulary, units)`.
        positions: embedding of the positions, `(max_length, units)`.
        compute_dtype: type to multiply in.

    Returns:
        The weights of a `FoldedTransformer`.
    """
    weights = {"embedding": _centred(embedding), "positions": _centred(positions)}
    units = embedding.shape[1]

    def put(name: str, kernel: Any, bias: Any, norm: Any = None) -> None:
        kernel, bias = tf.convert_to_tensor(kernel), tf.convert_to_tensor(bias)
        if norm is not None:
            bias += tf.linalg.matvec(kernel, tf.convert_to_tensor(norm.beta), transpose_a=True)
            kernel *= tf.convert_to_tensor(norm.gamma)[:, None]
        weights[f"{name}/kernel"], weights[f"{name}/bias"] = tf.cast(kernel, compute_dtype), bias

    def flat(dense: Any) -> tuple[tf.Tensor, tf.Tensor]:
        kernel, bias = tf.convert_to_tensor(dense.kernel), tf.convert_to_tensor(dense.bias)
        into_heads = len(kernel.shape) == 3 and kernel.shape[0] == units and len(bias.shape) == 2
        return tf.reshape(kernel, (units, -1) if into_heads else (-1, units)), tf.reshape(bias, (-1,))

    def joined(*parts: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        kernels, biases = zip(*parts, strict=True)
        return tf.concat(kernels, axis=1), tf.concat(biases, axis=0)

    def query(attention: Any) -> tuple[tf.Tensor, tf.Tensor]:
        scale = attention.query_dense.kernel.shape[-1] ** -0.5
        kernel, bias = flat(attention.query_dense)
        return kernel * scale, bias * scale

    for index, block in enumerate(blocks):
        name, own, cross = f"block_{index}", block._self_attention_layer, block._cross_attention_layer
        read = joined(query(own), flat(own.key_dense), flat(own.value_dense))
        put(f"{name}/self", *read, block._self_attention_layer_norm)
        put(f"{name}/self_output", *map(_centred, flat(own.output_dense)))
        put(f"{name}/cross", *query(cross), block._cross_attention_layer_norm)
        put(f"{name}/memory", *joined(flat(cross.key_dense), flat(cross.value_dense)))
        put(f"{name}/cross_output", *map(_centred, flat(cross.output_dense)))
        wide, narrow = block._feedforward_intermediate_dense, block._feedforward_output_dense
        put(f"{name}/wide", wide.kernel, wide.bias, block._feedforward_layer_norm)
        put(f"{name}/narrow", *map(_centred, (narrow.kernel, narrow.bias)))
    put("output", tf.transpose(embedding), tf.zeros((embedding.shape[0],)), normalization)
    return weights


class FoldedTransformer:
    """Has `start` and `step` of a `TransformerDecoder`, computed from folded weights with core ops only.

    Args:
        weights: of `fold_transformer`.
        memory: gives r(x)'s tokens `(batch, tokens, units)`.
        heads: number of attention heads.
        epsilon: of the layer normalizations.
    """

    def __init__(
        self,
        weights: Mapping[str, tf.Tensor],
        memory: Callable[[tf.Tensor], tf.Tensor],
        heads: int,
        epsilon: float,
    ) -> None:
        self.weights, self.memory, self.epsilon = weights, memory, epsilon
        self.max_length, self.units = weights["positions"].shape
        self.blocks = sum(name.endswith("/self/kernel") for name in weights)
        # (units, heads): 1 where a unit belongs to a head. The heads stay side by side, and are told apart in
        # two products with this; thousands of tiny products, one a head and example, take longer.
        self.head_of_unit = np.eye(heads, dtype="float32").repeat(self.units // heads, axis=0)

    def start(self, r: tf.Tensor) -> dict[str, tf.Tensor]:
        memory = tf.cast(self.memory(r), tf.float32)
        batch, tokens = tf.shape(memory)[0], memory.shape[1]
        state = {"position": tf.zeros((batch,), tf.int32)}
        nothing = tf.zeros((batch, self.max_length, self.units))
        for index in range(self.blocks):
            read = self._product(tf.reshape(memory, (-1, self.units)), f"block_{index}/memory")
            read = tf.reshape(read, (-1, tokens, 2 * self.units))
            state[f"cross_keys_{index}"], state[f"cross_values_{index}"] = tf.split(read, 2, axis=-1)
            state[f"keys_{index}"] = state[f"values_{index}"] = nothing
        return state

    def step(self, token: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        position = state["position"][0]  # the sentences of a batch are equally long
        state = {**state, "position": state["position"] + 1}
        here = tf.cast(tf.range(self.max_length) == position, tf.float32)[:, None]
        to_come = tf.where(tf.range(self.max_length) > position, -1e9, 0.0)[:, None]
        word = tf.gather(self.weights["embedding"], token) + self.weights["positions"][position]
        for index in range(self.blocks):
            name = f"block_{index}"
            read = self._product(self._normalize(word), f"{name}/self")
            query, key, value = tf.split(read, 3, axis=-1)
            keys = state[f"keys_{index}"] = state[f"keys_{index}"] + here * key[:, None]
            values = state[f"values_{index}"] = state[f"values_{index}"] + here * value[:, None]
            word += self._product(self._attend(query, keys, values, to_come), f"{name}/self_output")
            query = self._product(self._normalize(word), f"{name}/cross")
            keys, values = state[f"cross_keys_{index}"], state[f"cross_values_{index}"]
            word += self._product(self._attend(query, keys, values), f"{name}/cross_output")
            wide = tf.nn.relu(self._product(self._normalize(word), f"{name}/wide"))
            word += self._product(wide, f"{name}/narrow")
        return self._product(self._normalize(word), "output"), state

    def _attend(self, query: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, mask: Any = 0.0) -> tf.Tensor:
        """Returns what one word of each example read, `(batch, units)`; keys are `(batch, words, units)`."""
        words, heads = keys.shape[1], self.head_of_unit.shape[1]
        scores = tf.matmul(tf.reshape(keys * query[:, None], (-1, self.units)), self.head_of_unit)
        weights = tf.nn.softmax(tf.reshape(scores, (-1, words, heads)) + mask, axis=1)
        weights = tf.matmul(tf.reshape(weights, (-1, heads)), self.head_of_unit, transpose_b=True)
        return tf.reduce_sum(tf.reshape(weights, (-1, words, self.units)) * values, axis=1)

    def _normalize(self, x: tf.Tensor) -> tf.Tensor:
        """Normalizes vectors whose mean is zero."""
        return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), axis=-1, keepdims=True) + self.epsilon)

    def _product(self, x: tf.Tensor, name: str) -> tf.Tensor:
        kernel = self.weights[f"{name}/kernel"]
        product = tf.cast(tf.matmul(tf.cast(x, kernel.dtype), kernel), tf.float32)
        return product + self.weights[f"{name}/bias"]


def _centred(weights: Any) -> tf.Tensor:
    weights = tf.convert_to_tensor(weights)
    return weights - tf.reduce_mean(weights, axis=-1, keepdims=True)
