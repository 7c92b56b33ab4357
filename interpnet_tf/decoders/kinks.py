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
    is_open = tf.cast(inputs > 0, tf.float32)
    begin, end = points[:-1, None], points[1:, None]
    bound = tf.clip_by_value(tf.cumsum(weights)[:-1, None], begin, end)
    opens, sizes = is_open[:, 1:] - is_open[:, :-1], tf.abs(inputs)
    passed = tf.math.divide_no_nan(sizes[:, :-1], sizes[:, :-1] + sizes[:, 1:])
    too_early = bound - (begin + (end - begin) * passed)
    early = opens * tf.math.divide_no_nan(tf.nn.relu(too_early), weights[:-1, None])
    late = opens * tf.math.divide_no_nan(tf.nn.relu(-too_early), weights[1:, None])
    return is_open + tf.pad(early, [[0, 0], [0, 1], [0, 0]]) - tf.pad(late, [[0, 0], [1, 0], [0, 0]])
