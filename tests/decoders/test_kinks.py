"""Shares of a path's stretches in which a ReLU is open, worked out by hand."""

import numpy as np
import tensorflow as tf

from interpnet_tf.decoders.kinks import open_shares

# Stretches [0, 0.4], [0.4, 1] around the points 0.2 and 0.7.
POINTS, WEIGHTS = tf.constant([0.2, 0.7]), tf.constant([0.4, 0.6])


def shares(*inputs: float) -> list[float]:
    found = open_shares(tf.constant(inputs)[None, :, None], POINTS, WEIGHTS)
    return found.numpy()[0, :, 0].tolist()


def test_what_does_not_change_is_open_or_closed():
    assert shares(1.0, 2.0) == [1, 1]
    assert shares(-1.0, -2.0) == [0, 0]


def test_opens_within_the_first_stretch():
    # From -1 to 4 it is zero at 0.2 + 0.5 / 5 = 0.3: open from 0.3 to 0.4, a quarter of the first.
    np.testing.assert_allclose(shares(-1.0, 4.0), [0.25, 1], rtol=1e-5)


def test_closes_within_the_second_stretch():
    # From 4 to -1 it is zero at 0.2 + 0.5 * 4 / 5 = 0.6: open from 0.4 to 0.6, a third of the second.
    np.testing.assert_allclose(shares(4.0, -1.0), [1, 1 / 3], rtol=1e-5)


def test_one_point_stands_for_all():
    found = open_shares(tf.constant([[[-1.0, 2.0]]]), tf.constant([0.5]), tf.constant([1.0]))
    assert found.numpy().tolist() == [[[0, 1]]]
