"""Where ReLUs open and close along a path, so that an integral of gradients does not miss their kinks."""

from __future__ import annotations

import tensorflow as tf


def open_shares(inputs: tf.Tensor, points: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Returns in what share of the stretch that each point stands for a ReLU lets its input through.

    Between two points the input is taken for a straight line, which tells where the ReLU opens or closes.
    The slope of a ReLU jumps there, and a sum over points that knows only whether it is open at each is off
    by up to a whole stretch.

    Args:
        inputs: of ReLUs, float `(words, points, units)`.
        points: on the path, ascending, float `(points,)`.
        weights: of the points, whose running sums are where the stretches end, float `(points,)`.

    Returns:
        float32 `(words, points, units)`, 1 where the ReLU is open and 0 where it is closed.
    """
    is_open = inputs > 0
    # Few open or close between a point and the next; only these are looked at.
    jumps = tf.where(is_open[:, 1:] != is_open[:, :-1])
    next_jumps, place = jumps + [0, 1, 0], jumps[:, 1]
    before, after = tf.gather_nd(inputs, jumps), tf.gather_nd(inputs, next_jumps)
    begin, end = tf.gather(points, place), tf.gather(points, place + 1)
    kink = begin + (end - begin) * before / (before - after)
    bound = tf.clip_by_value(tf.gather(tf.cumsum(weights), place), begin, end)
    opens = tf.where(after > 0, 1.0, -1.0)
    early = opens * tf.nn.relu(bound - kink) / tf.gather(weights, place)
    late = opens * tf.nn.relu(kink - bound) / tf.gather(weights, place + 1)
    jumps, changes = tf.concat([jumps, next_jumps], axis=0), tf.concat([early, -late], axis=0)
    return tf.tensor_scatter_nd_add(tf.cast(is_open, tf.float32), jumps, changes)
