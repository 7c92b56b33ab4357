"""The LSTM recurrence over a whole sentence, with a gradient written for long products."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def forget_gate_open(shape: tuple, dtype: Any = None) -> Any:
    """Returns the initial bias of an LSTM whose forget gate starts open (Jozefowicz et al. 2015)."""
    units = shape[0] // 4
    return keras.ops.concatenate(
        [keras.ops.full((n * units,), value, dtype) for n, value in ((1, 0.0), (1, 1.0), (2, 0.0))]
    )


def lstm_cell(gates: tf.Tensor, cell: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Applies the gates of an LSTM (Hochreiter & Schmidhuber 1997, with forget gates).

    Args:
        gates: pre-activations in Keras' order input, forget, candidate, output: `(batch, 4 * units)`.
        cell: cell state `(batch, units)`.

    Returns:
        The new hidden and cell states, each `(batch, units)`.
    """
    i, f, g, o = tf.split(gates, 4, axis=-1)
    cell = tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(cell), cell


@tf.custom_gradient
def lstm_sequence(inputs: tf.Tensor, recurrent_kernel: tf.Tensor):
    """Runs an LSTM from zero states over projected inputs.

    Automatic differentiation of the loop would add a `(units, 4 * units)` product to the gradient of the
    recurrent kernel at every word, which is bound by memory. Here the backward loop yields the gradients of
    the gates only, and one matrix product over all words gives the kernel's.

    Args:
        inputs: input projection plus bias at every word, float32 `(words, batch, 4 * units)`.
        recurrent_kernel: `(units, 4 * units)`, in float32 or the type to multiply in.

    Returns:
        The hidden states, float32 `(words, batch, units)`.
    """
    multiply_type = recurrent_kernel.dtype
    words, batch = tf.shape(inputs)[0], tf.shape(inputs)[1]
    units = recurrent_kernel.shape[0]
    zeros = tf.zeros((batch, units))

    def multiply(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.matmul(tf.cast(x, multiply_type), kernel), tf.float32)

    def arrays(count: int) -> list[tf.TensorArray]:
        return [tf.TensorArray(tf.float32, words, element_shape=(None, None)) for _ in range(count)]

    def forward(t, hidden, cell, activated, cells, hiddens):
        i, f, g, o = tf.split(inputs[t] + multiply(hidden, recurrent_kernel), 4, axis=-1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        cell = f * cell + i * g
        hidden = o * tf.tanh(cell)
        activated = activated.write(t, tf.concat([i, f, g, o], axis=-1))
        return t + 1, hidden, cell, activated, cells.write(t, cell), hiddens.write(t, hidden)

    *_, activated, cells, hiddens = tf.while_loop(
        lambda t, *_: t < words, forward, (0, zeros, zeros, *arrays(3)), parallel_iterations=1
    )
    activated, cells, hiddens = activated.stack(), cells.stack(), hiddens.stack()
    hiddens = tf.ensure_shape(hiddens, (None, None, units))

    def gradient(d_hiddens):
        # Transposed once: a product that transposes as it goes takes nearly three times as long on the CPU.
        transposed_kernel = tf.transpose(recurrent_kernel)
        cells_before = tf.concat([zeros[None], cells[:-1]], axis=0)

        def backward(t, d_hidden, d_cell, d_gates):
            i, f, g, o = tf.split(activated[t], 4, axis=-1)
            tanh_cell = tf.tanh(cells[t])
            d_hidden += d_hiddens[t]
            d_cell += d_hidden * o * (1 - tanh_cell * tanh_cell)
            d = tf.concat(
                [
                    d_cell * g * i * (1 - i),
                    d_cell * cells_before[t] * f * (1 - f),
                    d_cell * i * (1 - g * g),
                    d_hidden * tanh_cell * o * (1 - o),
                ],
                axis=-1,
            )
            return t - 1, multiply(d, transposed_kernel), d_cell * f, d_gates.write(t, d)

        *_, d_gates = tf.while_loop(
            lambda t, *_: t >= 0, backward, (words - 1, zeros, zeros, *arrays(1)), parallel_iterations=1
        )
        d_gates = d_gates.stack()
        hiddens_before = tf.concat([zeros[None], hiddens[:-1]], axis=0)
        d_kernel = tf.matmul(
            tf.transpose(tf.cast(tf.reshape(hiddens_before, (-1, units)), multiply_type)),
            tf.cast(tf.reshape(d_gates, (-1, 4 * units)), multiply_type),
        )
        return d_gates, d_kernel

    return hiddens, gradient
