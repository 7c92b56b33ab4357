"""Products and gradients that the Transformer's path of gradients is made of."""

from __future__ import annotations

import tensorflow as tf


def centred(vector: tf.Tensor) -> tf.Tensor:
    """Takes the mean over the last axis off."""
    return vector - tf.reduce_mean(vector, axis=-1, keepdims=True)


def normalized(vector: tf.Tensor, epsilon: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns normalized vectors, whose mean is zero before, and what they were multiplied by."""
    variance = tf.reduce_mean(tf.square(vector), axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(variance + epsilon)
    return vector * inverse, inverse


def through_normal(d_normal: tf.Tensor, normal: tf.Tensor, inverse: tf.Tensor) -> tf.Tensor:
    """Returns gradients by vectors of those by what they are normalized to."""
    return (d_normal - normal * tf.reduce_mean(d_normal * normal, axis=-1, keepdims=True)) * inverse


def through_softmax(d_weights: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Returns gradients by scores of those by their softmax."""
    return weights * (d_weights - tf.reduce_sum(weights * d_weights, axis=-1, keepdims=True))


def product(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None = None) -> tf.Tensor:
    """Multiplies over the last axis of `x`."""
    flat = tf.matmul(tf.reshape(x, (-1, kernel.shape[0])), kernel)
    if bias is not None:
        flat = tf.nn.bias_add(flat, bias)
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], kernel.shape[1:]], axis=0))


def by_head(into: tf.Tensor, out_of: tf.Tensor, heads: int) -> tf.Tensor:
    """Multiplies two kernels out head by head, the second one transposed.

    Args:
        into: kernel into the heads, `(inputs, units)`; each head has its share of the units.
        out_of: kernel that leads to the heads from where the product goes, `(outputs, units)`.
        heads: how many there are.

    Returns:
        `(inputs, heads * outputs)`.
    """
    into, out_of = (
        tf.transpose(tf.reshape(kernel, (kernel.shape[0], heads, -1)), (1, 0, 2)) for kernel in (into, out_of)
    )
    of_heads = tf.transpose(tf.matmul(into, out_of, transpose_b=True), (1, 0, 2))
    return tf.reshape(of_heads, (of_heads.shape[0], heads * of_heads.shape[2]))
