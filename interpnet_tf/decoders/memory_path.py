"""`MemoryPath`: the Transformer's memory along a straight path in r(x), and attention to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import tensorflow as tf

from interpnet_tf.decoders.products import by_head, centred, product, through_softmax


class MemoryKernels(NamedTuple):
    """What the words of one block make of the memory's tokens, multiplied out.

    Attributes:
        look: token to what a word's normalized vector is multiplied by for the score of each head,
            `(units, heads * units)`.
        look_bias: token to what is added to the score of each head, `(units, heads)`.
        show: token to what a head that looks at it adds to a word's vector, `(units, heads * units)`.
        show_bias: what is added whatever is looked at, `(units,)`.
    """

    look: tf.Tensor
    look_bias: tf.Tensor
    show: tf.Tensor
    show_bias: tf.Tensor


def memory_kernels(
    weights: Mapping[str, tf.Tensor], name: str, gain: tf.Tensor, offset: tf.Tensor, heads: int
) -> MemoryKernels:
    """Multiplies out the weights of a block, those of `fold_transformer`.

    Args:
        weights: of the Transformer.
        name: the block's.
        gain, offset: of the memory's layer normalization, `(units,)`.
        heads: number of attention heads.
    """
    kernel, bias = weights[f"{name}/memory/kernel"], weights[f"{name}/memory/bias"]
    key, value = tf.split(gain[:, None] * kernel, 2, axis=1)
    query, query_bias = weights[f"{name}/cross/kernel"], weights[f"{name}/cross/bias"]
    output = weights[f"{name}/cross_output/kernel"]
    # The keys' offset changes no weight of attention, the values' is added whatever is looked at.
    value_offset = tf.split(bias + tf.linalg.matvec(kernel, offset, transpose_a=True), 2)[1]
    return MemoryKernels(
        look=by_head(key, query, heads),
        look_bias=tf.reduce_sum(tf.reshape(key * query_bias, (gain.shape[0], heads, -1)), axis=-1),
        show=by_head(value, tf.transpose(output), heads),
        show_bias=tf.linalg.matvec(output, value_offset, transpose_a=True)
        + weights[f"{name}/cross_output/bias"],
    )


class MemorySums(NamedTuple):
    """What the gradients of a word's log-probability by the memory are made of, summed over the path.

    Attributes:
        asked: by what its tokens are looked for with, `(heads * tokens, units)`.
        asked_of_biases: the same, of the queries' biases, `(heads * tokens,)`.
        shown: by what its tokens add to vectors, `(heads * tokens, units)`.
        along: the share along a token itself, `(points, tokens)`.
    """

    asked: tf.Tensor
    asked_of_biases: tf.Tensor
    shown: tf.Tensor
    along: tf.Tensor


class MemoryPath:
    """The memory of one sentence along its path: what is normalized there moves on a straight line.

    The tokens at a point are `(origin + point * direction) * inverse`, but for the normalization's gain and
    offset, which are in the kernels; `inverse` is 1 / standard deviation there. So all that is made of tokens
    before they are normalized is computed of `origin` and `direction` only, once for all points: `lines`,
    `(2 * heads * tokens, units)`. A word's vectors are `(words, points, units)`, and of each it is told
    about all heads' tokens side by side, `(words, points, heads * tokens)`.

    Args:
        begin, end: the tokens before they are normalized, `(tokens, units)`.
        points: of the path, float `(points,)`.
        kernels: of each block.
        heads: number of attention heads.
        epsilon: of the memory's layer normalization.
    """

    def __init__(
        self,
        begin: tf.Tensor,
        end: tf.Tensor,
        points: tf.Tensor,
        kernels: list[MemoryKernels],
        heads: int,
        epsilon: float,
    ) -> None:
        self.tokens, self.units = begin.shape
        self.points, self.kernels, self.heads = points[:, None], kernels, heads
        self.origin, self.direction = centred(begin), centred(end - begin)
        at_points = self.origin + self.points[..., None] * self.direction
        variance = tf.reduce_mean(tf.square(at_points), axis=-1)
        self.inverse = tf.tile(tf.math.rsqrt(variance + epsilon), (1, heads))  # (points, heads * tokens)
        ends = tf.concat([self.origin, self.direction], axis=0)
        self.looks = [self._lines(tf.matmul(ends, of_block.look)) for of_block in kernels]
        self.shows = [self._lines(tf.matmul(ends, of_block.show)) for of_block in kernels]
        self.looks_back, self.shows_back = (
            [*map(tf.transpose, of_all)] for of_all in (self.looks, self.shows)
        )
        self.biases = [
            tf.reshape(self._lines(tf.matmul(ends, of_block.look_bias)), (-1,)) for of_block in kernels
        ]

    def _lines(self, of_ends: tf.Tensor) -> tf.Tensor:
        of_ends = tf.reshape(of_ends, (2, self.tokens, self.heads, -1))
        return tf.reshape(tf.transpose(of_ends, (0, 2, 1, 3)), (2 * self.heads * self.tokens, -1))

    def attend(self, block: int, normal: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns scores and weights of attention, and what is added to the words' vectors."""
        scores = self._at_points(product(normal, self.looks_back[block], self.biases[block]))
        looked = self._of_heads(tf.nn.softmax, scores)
        seen = product(self._to_ends(looked), self.shows[block], self.kernels[block].show_bias)
        return scores, looked, seen

    def back(
        self,
        block: int,
        d_vector: tf.Tensor,
        normal: tf.Tensor,
        scores: tf.Tensor,
        looked: tf.Tensor,
        each: bool,
    ) -> tuple[MemorySums, tf.Tensor]:
        """Returns gradients of those by what attention adds to the words' vectors.

        Args:
            block: its number.
            d_vector: these, `(words, points, units)`.
            normal, scores, looked: of the way forward.
            each: whether each word is asked for by itself, else they are summed.

        Returns:
            What `by_tokens` reads, and the gradients by the scores, `(words, points, heads * tokens)`.
        """
        by_looks = self._at_points(product(d_vector, self.shows_back[block]))
        d_scores = self._of_heads(through_softmax, by_looks, looked)
        asked, shown = d_scores * self.inverse, looked * self.inverse
        # What the normalization takes off: the share that lies along the token itself.
        along = (looked * by_looks + d_scores * scores) * tf.square(self.inverse) / self.units
        along = tf.reduce_sum(tf.reshape(along, self._by_head(along)), axis=2)
        if not each:
            along = tf.reduce_sum(along, axis=0)
            flat = (tf.reshape(part, (-1, part.shape[-1])) for part in (asked, shown, normal, d_vector))
            asked, shown, normal, d_vector = flat
        sums = MemorySums(
            tf.matmul(asked, normal, transpose_a=True),
            tf.reduce_sum(asked, axis=-2),
            tf.matmul(shown, d_vector, transpose_a=True),
            along,
        )
        return sums, d_scores

    def by_tokens(self, block: int, sums: MemorySums) -> tf.Tensor:
        """Returns gradients by the tokens before they are normalized, `(words, tokens, units)`."""
        of_block, by_head = self.kernels[block], (-1, self.heads, self.tokens)

        def side_by_side(of_heads: tf.Tensor) -> tf.Tensor:
            of_heads = tf.transpose(tf.reshape(of_heads, (*by_head, self.units)), (0, 2, 1, 3))
            return tf.reshape(of_heads, (-1, self.tokens, self.heads * self.units))

        total = product(side_by_side(sums.asked), tf.transpose(of_block.look))
        total += product(side_by_side(sums.shown), tf.transpose(of_block.show))
        of_biases = tf.transpose(tf.reshape(sums.asked_of_biases, by_head), (0, 2, 1))
        total += product(of_biases, tf.transpose(of_block.look_bias))
        off = tf.reduce_sum(sums.along, axis=1)[..., None] * self.origin
        off += tf.reduce_sum(sums.along * self.points, axis=1)[..., None] * self.direction
        return centred(total - off)

    def back_to_words(self, block: int, d_scores: tf.Tensor) -> tf.Tensor:
        """Returns gradients by the words' normalized vectors of those by the scores."""
        return product(self._to_ends(d_scores), self.looks[block])

    def _at_points(self, of_ends: tf.Tensor) -> tf.Tensor:
        """Returns what the tokens make at the points, of what `origin` and `direction` make."""
        of_origin, of_direction = tf.split(of_ends, 2, axis=-1)
        return (of_origin + self.points * of_direction) * self.inverse

    def _to_ends(self, at_points: tf.Tensor) -> tf.Tensor:
        """Undoes `_at_points` for gradients and weights: the shares of `origin` and `direction`."""
        of_origin = at_points * self.inverse
        return tf.concat([of_origin, of_origin * self.points], axis=-1)

    def _of_heads(self, function: Callable[..., tf.Tensor], *parts: tf.Tensor) -> tf.Tensor:
        """Applies a function to each head's tokens."""
        by_head = self._by_head(parts[0])
        return tf.reshape(function(*(tf.reshape(part, by_head) for part in parts)), tf.shape(parts[0]))

    def _by_head(self, x: tf.Tensor) -> tf.Tensor:
        return tf.concat([tf.shape(x)[:-1], [self.heads, self.tokens]], axis=0)
