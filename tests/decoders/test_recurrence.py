"""`lstm_sequence` against `keras.layers.LSTM` and automatic differentiation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf.decoders.recurrence import lstm_cell, lstm_sequence

UNITS = 5


def problem(words: int, batch: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Projected inputs, a recurrent kernel, and what multiplies the hidden states in the loss."""
    random = np.random.default_rng(words)
    return (
        tf.constant(random.normal(size=(words, batch, 4 * UNITS)), tf.float32),
        tf.constant(random.normal(size=(UNITS, 4 * UNITS)), tf.float32),
        tf.constant(random.normal(size=(words, batch, UNITS)), tf.float32),
    )


def values_and_gradients(function, inputs, kernel, weights):
    with tf.GradientTape() as tape:
        tape.watch([inputs, kernel])
        hiddens = function(inputs, kernel)
        loss = tf.reduce_sum(tf.cast(hiddens, tf.float32) * weights)
    return [hiddens, *tape.gradient(loss, [inputs, kernel])]


def python_loop(inputs, kernel):
    hidden = cell = tf.zeros((inputs.shape[1], UNITS))
    hiddens = []
    for gates in tf.unstack(inputs):
        hidden, cell = lstm_cell(gates + hidden @ kernel, cell)
        hiddens.append(hidden)
    return tf.stack(hiddens)


@pytest.mark.parametrize(("words", "batch"), [(1, 1), (2, 3), (9, 4)])
def test_values_and_gradients_equal_a_plain_loop(words, batch):
    arguments = problem(words, batch)
    ours = values_and_gradients(lstm_sequence, *arguments)
    for actual, expected in zip(ours, values_and_gradients(python_loop, *arguments), strict=True):
        np.testing.assert_allclose(actual, expected, atol=2e-5, rtol=1e-5)


def test_values_and_gradients_equal_keras():
    inputs, kernel, weights = problem(words=7, batch=3)
    lstm = keras.layers.LSTM(UNITS, return_sequences=True, use_bias=False)
    lstm.build((3, 7, 4 * UNITS))
    lstm.set_weights([np.eye(4 * UNITS), kernel.numpy()])  # our inputs are projected already

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        hiddens = tf.transpose(lstm(tf.transpose(inputs, (1, 0, 2))), (1, 0, 2))
        loss = tf.reduce_sum(hiddens * weights)
    expected = [hiddens, *tape.gradient(loss, [inputs, lstm.cell.recurrent_kernel.value])]
    for actual, of_keras in zip(
        values_and_gradients(lstm_sequence, inputs, kernel, weights), expected, strict=True
    ):
        np.testing.assert_allclose(actual, of_keras, atol=2e-5, rtol=1e-5)


def test_lstm_cell_by_hand():
    # sigmoid(0) = 1/2: c = 1/2 * 2 + 1/2 * tanh(0.3), h = 1/2 * tanh(c)
    hidden, cell = lstm_cell(tf.constant([[0.0, 0.0, 0.3, 0.0]]), tf.constant([[2.0]]))
    expected = 1 + np.tanh(0.3) / 2
    np.testing.assert_allclose(cell, [[expected]], rtol=1e-5)
    np.testing.assert_allclose(hidden, [[np.tanh(expected) / 2]], rtol=1e-5)


def test_one_graph_serves_every_length_and_batch():
    graph = tf.function(
        lambda *arguments: values_and_gradients(lstm_sequence, *arguments),
        input_signature=[
            tf.TensorSpec((None, None, 4 * UNITS)),
            tf.TensorSpec((UNITS, 4 * UNITS)),
            tf.TensorSpec((None, None, UNITS)),
        ],
    )
    for words, batch in ((3, 2), (6, 1)):
        arguments = problem(words, batch)
        for actual, expected in zip(
            graph(*arguments), values_and_gradients(lstm_sequence, *arguments), strict=True
        ):
            np.testing.assert_allclose(actual, expected, atol=2e-5, rtol=1e-5)


def test_bfloat16_is_close():
    inputs, kernel, weights = problem(words=9, batch=4)
    exact = values_and_gradients(lstm_sequence, inputs, kernel, weights)
    rough = values_and_gradients(lstm_sequence, inputs, tf.cast(kernel, tf.bfloat16), weights)
    assert rough[0].dtype == tf.float32
    assert rough[2].dtype == tf.bfloat16
    for actual, expected in zip(rough, exact, strict=True):
        error = tf.norm(tf.cast(actual, tf.float32) - expected) / tf.norm(expected)
        assert 0 < error < 0.02
