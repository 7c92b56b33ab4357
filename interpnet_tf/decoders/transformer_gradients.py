"""Mean gradients of the words' log-probabilities along a path in r(x), for the Transformer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from interpnet_tf.decoders.kinks import open_shares


class MemoryPath(NamedTuple):
    """The memory of one sentence along its path: what is normalized there moves on a straight line.

    The tokens at a point are `(origin + point * direction) * inverse`, and their keys and values the same of
    `keys_origin`, `keys_direction`, …, but for offsets that do not count for gradients.

    Attributes:
        origin: tokens at the begin, their mean taken off, `(tokens, units)`.
        direction: those of the end minus those of the begin, likewise.
        inverse: 1 / standard deviation at each point, `(points, tokens, 1)`.
        keys: of each block, `(points, heads, tokens, units / heads)`.
        values: likewise.
    """

    origin: tf.Tensor
    direction: tf.Tensor
    inverse: tf.Tensor
    keys: list[tf.Tensor]
    values: list[tf.Tensor]


class TransformerGradients:
    """Computes what `path_gradients.path_gradients` does, nearer to the integral, in a fraction of its time.

    Each sentence is read once at all points of the path, and backwards once for each word, without computing
    anything anew. Gradients are taken of the keys and values of the memory and summed over the points; into
    them the memory's tokens, before they are normalized, go linearly at each point. A ReLU counts as open in
    the share of the path in which it is, see `open_shares`; at a single point, as it is there.

    Args:
        weights: of `fold_transformer`, in float32.
        gain, offset: of the memory's layer normalization, `(units,)`.
        heads: number of attention heads.
        epsilon: of the layer normalizations.
    """

    def __init__(
        self,
        weights: Mapping[str, tf.Tensor],
        gain: tf.Tensor,
        offset: tf.Tensor,
        heads: int,
        epsilon: float,
    ) -> None:
        self.weights, self.heads, self.epsilon = weights, heads, epsilon
        self.units = weights["positions"].shape[1]
        self.blocks = sum(name.endswith("/self/kernel") for name in weights)
        self.of_memory, self.offsets = [], []
        for index in range(self.blocks):
            kernel, bias = (weights[f"block_{index}/memory/{part}"] for part in ("kernel", "bias"))
            self.of_memory.append(gain[:, None] * kernel)
            # The keys' changes no weight of attention.
            self.offsets.append((bias + tf.linalg.matvec(kernel, offset, transpose_a=True))[self.units :])

    def __call__(
        self,
        begin: tf.Tensor,
        end: tf.Tensor,
        tokens: tf.Tensor,
        words: tf.Tensor,
        points: tf.Tensor,
        weights: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the weighted sums of gradients for the words of one sentence.

        Args:
            begin, end: the memory's tokens before they are normalized, `(tokens, units)`.
            tokens, words: int `(words,)`; all count.
            points, weights: of the path, float `(points,)`.

        Returns:
            `(words, tokens, units)`, of the tokens before they are normalized.
        """
        memory = self._memory_path(begin, end, points)
        vector, kept = self._read(tokens, memory, points, weights)
        d_vector = self._of_log_probabilities(vector, words) * weights[:, None]

        def of_word(word: tf.Tensor) -> tf.Tensor:
            return self._backward(d_vector[word : word + 1], word, kept, memory, points)

        return tf.map_fn(
            of_word,
            tf.range(tf.shape(words)[0]),
            fn_output_signature=tf.TensorSpec(begin.shape, tf.float32),
            parallel_iterations=1,
        )

    def _memory_path(self, begin: tf.Tensor, end: tf.Tensor, points: tf.Tensor) -> MemoryPath:
        origin, direction = _centred(begin), _centred(end - begin)
        at_points = origin + points[:, None, None] * direction
        variance = tf.reduce_mean(tf.square(at_points), axis=-1, keepdims=True)
        inverse = tf.math.rsqrt(variance + self.epsilon)
        keys, values = [], []
        for kernel in self.of_memory:
            moved = (_product(origin, kernel) + points[:, None, None] * _product(direction, kernel)) * inverse
            for kept, part in zip((keys, values), tf.split(moved, 2, axis=-1), strict=True):
                kept.append(tf.transpose(self._in_heads(part), (0, 2, 1, 3)))
        return MemoryPath(origin, direction, inverse, keys, values)

    def _read(
        self, tokens: tf.Tensor, memory: MemoryPath, points: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, list[dict]]:
        """Reads a sentence at all points; its vectors are `(words, points, units)`.

        Returns:
            The last vectors, and of each block what the way back needs.
        """
        count = tf.shape(tokens)[0]
        causal = tf.where(tf.linalg.band_part(tf.ones((count, count), tf.bool), -1, 0), 0.0, -1e9)
        # What comes before the first look at the memory is the same at all points.
        vector = (tf.gather(self.weights["embedding"], tokens) + self.weights["positions"][:count])[:, None]
        kept = []
        for index in range(self.blocks):
            name, of_block = f"block_{index}", {}
            of_block["self"] = normal, _ = self._normalize(vector)
            parts = tf.split(self._times(normal, f"{name}/self"), 3, axis=-1)
            query, key, value = of_block["read"] = [self._points_first(part) for part in parts]
            chosen = of_block["chosen"] = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + causal)
            vector += self._times(self._words_first(tf.matmul(chosen, value)), f"{name}/self_output")
            if index == 0:
                vector = tf.repeat(vector, tf.shape(points)[0], axis=1)

            of_block["cross"] = normal, _ = self._normalize(vector)
            query = of_block["query"] = self._points_first(self._times(normal, f"{name}/cross"))
            scores = of_block["scores"] = tf.matmul(query, memory.keys[index], transpose_b=True)
            looked = of_block["looked"] = tf.nn.softmax(scores)
            seen = self._words_first(tf.matmul(looked, memory.values[index])) + self.offsets[index]
            vector += self._times(seen, f"{name}/cross_output")

            of_block["forward"] = normal, _ = self._normalize(vector)
            wide = self._times(normal, f"{name}/wide")
            of_block["open"] = open_shares(wide, points, weights)
            vector += self._times(tf.nn.relu(wide), f"{name}/narrow")
            kept.append(of_block)
        return vector, kept

    def _of_log_probabilities(self, vector: tf.Tensor, words: tf.Tensor) -> tf.Tensor:
        """Returns the gradient of each word's log-probability by the vector that predicts it."""
        normal, inverse = self._normalize(vector)
        chances = tf.nn.softmax(self._times(normal, "output"))
        of_ids = tf.transpose(tf.gather(self.weights["output/kernel"], words, axis=1))
        d_normal = of_ids[:, None] - self._back(chances, "output")
        return _through_normal(d_normal, normal, inverse)

    def _backward(
        self, d_vector: tf.Tensor, word: tf.Tensor, kept: list[dict], memory: MemoryPath, points: tf.Tensor
    ) -> tf.Tensor:
        """Returns the gradient of one word by the memory's tokens, `(tokens, units)`.

        Args:
            d_vector: by the vector that predicts it, `(1, points, units)`.
            word: its place. The last block matters there, those before it also at the words before it.
            kept, memory, points: of the way forward.
        """
        total, along, first = 0.0, 0.0, word
        for index in reversed(range(self.blocks)):
            name, of_block, here = f"block_{index}", kept[index], slice(first, word + 1)
            normal, inverse = (part[here] for part in of_block["forward"])
            d_wide = of_block["open"][here] * self._back(d_vector, f"{name}/narrow")
            d_vector += _through_normal(self._back(d_wide, f"{name}/wide"), normal, inverse)

            d_seen = self._points_first(self._back(d_vector, f"{name}/cross_output"))
            looked, query, scores = (of_block[part][:, :, here] for part in ("looked", "query", "scores"))
            by_value = tf.matmul(d_seen, memory.values[index], transpose_b=True)
            d_scores = _through_softmax(by_value, looked)
            shrunk = tf.transpose(memory.inverse, (0, 2, 1))[:, None]  # as tokens are, by being normalized
            read = [(d_scores * shrunk, query), (looked * shrunk, d_seen)]
            d_moved = [tf.reshape(tf.einsum("phwt,phwd->thd", *of), (-1, self.units)) for of in read]
            total += _product(tf.concat(d_moved, axis=-1), self.of_memory[index], back=True)
            # What the normalization takes off: the share that lies along the token itself.
            along += tf.reduce_sum(looked * by_value + d_scores * scores, axis=(1, 2)) / self.units
            if index == 0:
                break

            d_query = self._words_first(tf.matmul(d_scores, memory.keys[index]))
            normal, inverse = (part[here] for part in of_block["cross"])
            d_vector += _through_normal(self._back(d_query, f"{name}/cross"), normal, inverse)
            d_vector = self._through_self_attention(d_vector, of_block, name, first, word)
            first = 0
        along *= tf.square(memory.inverse[..., 0])
        off = tf.reduce_sum(along, axis=0)[:, None] * memory.origin
        off += tf.linalg.matvec(along, points, transpose_a=True)[:, None] * memory.direction
        return _centred(total - off)

    def _through_self_attention(
        self, d_vector: tf.Tensor, of_block: dict, name: str, first: tf.Tensor, word: tf.Tensor
    ) -> tf.Tensor:
        """Returns gradients by the vectors before it, of all words up to `word`, `(words, points, units)`."""
        query, key, value = of_block["read"]
        key, value, query = key[:, :, : word + 1], value[:, :, : word + 1], query[:, :, first : word + 1]
        chosen = of_block["chosen"][:, :, first : word + 1, : word + 1]
        d_seen = self._points_first(self._back(d_vector, f"{name}/self_output"))
        d_scores = _through_softmax(tf.matmul(d_seen, value, transpose_b=True), chosen)
        d_query = tf.matmul(d_scores, key)
        d_read = [tf.matmul(d_scores, query, transpose_a=True), tf.matmul(chosen, d_seen, transpose_a=True)]
        of_query, of_read = tf.split(
            self.weights[f"{name}/self/kernel"], [self.units, 2 * self.units], axis=1
        )
        d_read = tf.concat([self._words_first(part) for part in d_read], axis=-1)
        d_normal = _product(d_read, of_read, back=True)
        before = [[first, 0], [0, 0], [0, 0]]
        d_normal += tf.pad(_product(self._words_first(d_query), of_query, back=True), before)
        normal, inverse = (part[: word + 1] for part in of_block["self"])
        return tf.pad(d_vector, before) + _through_normal(d_normal, normal, inverse)

    def _normalize(self, vector: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns normalized vectors, whose mean is zero before, and what they were multiplied by."""
        variance = tf.reduce_mean(tf.square(vector), axis=-1, keepdims=True)
        inverse = tf.math.rsqrt(variance + self.epsilon)
        return vector * inverse, inverse

    def _times(self, vector: tf.Tensor, name: str) -> tf.Tensor:
        return _product(vector, self.weights[f"{name}/kernel"]) + self.weights[f"{name}/bias"]

    def _back(self, gradient: tf.Tensor, name: str) -> tf.Tensor:
        return _product(gradient, self.weights[f"{name}/kernel"], back=True)

    def _in_heads(self, vector: tf.Tensor) -> tf.Tensor:
        shape = tf.concat([tf.shape(vector)[:-1], [self.heads, self.units // self.heads]], axis=0)
        return tf.reshape(vector, shape)

    def _points_first(self, vector: tf.Tensor) -> tf.Tensor:
        """Returns `(points, heads, words, units / heads)` of `(words, points, units)`."""
        return tf.transpose(self._in_heads(vector), (1, 2, 0, 3))

    def _words_first(self, of_heads: tf.Tensor) -> tf.Tensor:
        """Undoes `_points_first`."""
        vector = tf.transpose(of_heads, (2, 0, 1, 3))
        return tf.reshape(vector, tf.concat([tf.shape(vector)[:2], [self.units]], axis=0))


def _centred(vector: tf.Tensor) -> tf.Tensor:
    return vector - tf.reduce_mean(vector, axis=-1, keepdims=True)


def _product(x: tf.Tensor, kernel: tf.Tensor, back: bool = False) -> tf.Tensor:
    """Multiplies over the last axis of `x`, with the transposed kernel on the way back."""
    inputs, outputs = reversed(kernel.shape) if back else kernel.shape
    flat = tf.matmul(tf.reshape(x, (-1, inputs)), kernel, transpose_b=back)
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [outputs]], axis=0))


def _through_normal(d_normal: tf.Tensor, normal: tf.Tensor, inverse: tf.Tensor) -> tf.Tensor:
    """Returns gradients by vectors of those by what they are normalized to."""
    return (d_normal - normal * tf.reduce_mean(d_normal * normal, axis=-1, keepdims=True)) * inverse


def _through_softmax(d_weights: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Returns gradients by scores of those by their softmax."""
    return weights * (d_weights - tf.reduce_sum(weights * d_weights, axis=-1, keepdims=True))
