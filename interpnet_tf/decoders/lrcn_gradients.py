"""Mean gradients of the words' log-probabilities along a path in r(x), for the paper's decoder."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from interpnet_tf.decoders.recurrence import lstm_sequence


def lrcn_path_gradients(
    kernels: Mapping[str, tf.Tensor],
    begin: tf.Tensor,
    end: tf.Tensor,
    tokens: tf.Tensor,
    words: tf.Tensor,
    points: tf.Tensor,
    weights: tf.Tensor,
) -> tf.Tensor:
    """Computes what `path_gradients.path_gradients` does in a fraction of its time.

    r(x) enters the second LSTM through linear maps. So the first LSTM is run once a sentence, the second once
    for each point; gradients are taken of the gates of the second, summed up, and then mapped back to r.
    Backwards the words of a sentence are rows that are computed together, one more at each step.

    Args:
        kernels: the float32 weights of an `LRCNDecoder` by their names.
        begin, end, tokens, words, points, weights: as there; every word counts.
    """
    sentences, count = tf.shape(tokens)[0], tf.shape(points)[0]
    first = tf.matmul(tf.matmul(begin, kernels["merge_r"]), kernels["kernel_2"])
    last = tf.matmul(tf.matmul(end, kernels["merge_r"]), kernels["kernel_2"])
    # Rows are points first, sentences second.
    of_r = tf.reshape(first + points[:, None, None] * (last - first), (-1, first.shape[1]))
    of_words = tf.tile(_gates_of_words(kernels, tokens), (1, count, 1))
    targets = tf.tile(tf.transpose(words), (1, count))
    slopes, d_hiddens = _forward(kernels, of_words, of_r, targets)
    d_hiddens *= tf.repeat(weights, sentences)[:, None]  # what follows is linear in them
    d_gates = _backward(slopes, d_hiddens, tf.transpose(kernels["recurrent_kernel_2"]), count)
    d_gates = tf.reshape(d_gates, (-1, first.shape[1]))
    d_merged = tf.matmul(d_gates, kernels["kernel_2"], transpose_b=True)
    d_r = tf.matmul(d_merged, kernels["merge_r"], transpose_b=True)
    return tf.transpose(tf.reshape(d_r, (-1, sentences, end.shape[1])), (1, 0, 2))


def _gates_of_words(kernels: Mapping[str, tf.Tensor], tokens: tf.Tensor) -> tf.Tensor:
    """Returns what the gates of the second LSTM get from the words, `(words, sentences, 4 * units)`."""
    embedded = tf.gather(kernels["embedding"], tf.transpose(tokens))
    hidden = lstm_sequence(
        tf.matmul(embedded, kernels["kernel_1"]) + kernels["bias_1"], kernels["recurrent_kernel_1"]
    )
    merged = tf.matmul(hidden, kernels["merge_words"]) + kernels["merge_bias"]
    return tf.matmul(merged, kernels["kernel_2"]) + kernels["bias_2"]


def _forward(
    kernels: Mapping[str, tf.Tensor], of_words: tf.Tensor, of_r: tf.Tensor, targets: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs the second LSTM.

    Args:
        kernels: the decoder's weights.
        of_words: the gates' share of the words, `(words, rows, 4 * units)`.
        of_r: that of r(x), `(rows, 4 * units)`.
        targets: ids `(words, rows)`.

    Returns:
        What `_backward` multiplies by at each word, `(words, 6, rows, units)`, and the gradient of each
        word's log-probability by the hidden state that predicts it, `(words, rows, units)`.
    """
    output_of_id = tf.transpose(kernels["output_kernel"])
    steps, units = tf.shape(of_words)[0], output_of_id.shape[1]
    arrays = [tf.TensorArray(tf.float32, steps), tf.TensorArray(tf.float32, steps)]

    def step(t, hidden, cell, slopes, d_hiddens):
        gates = of_words[t] + of_r + tf.matmul(hidden, kernels["recurrent_kernel_2"])
        i, f, g, o = tf.split(gates, 4, axis=-1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        new_cell = f * cell + i * g
        squashed = tf.tanh(new_cell)
        hidden = o * squashed
        of_gates = [g * i * (1 - i), cell * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)]
        slopes = slopes.write(t, tf.stack([*of_gates, f, o * (1 - squashed * squashed)]))
        chances = tf.nn.softmax(tf.matmul(hidden, kernels["output_kernel"]) + kernels["output_bias"])
        d_hidden = tf.gather(output_of_id, targets[t]) - tf.matmul(chances, output_of_id)
        return t + 1, hidden, new_cell, slopes, d_hiddens.write(t, d_hidden)

    zeros = tf.zeros((tf.shape(of_r)[0], units))
    *_, slopes, d_hiddens = tf.while_loop(
        lambda t, *_: t < steps, step, (0, zeros, zeros, *arrays), parallel_iterations=1
    )
    return slopes.stack(), tf.ensure_shape(d_hiddens.stack(), (None, None, units))


def _backward(slopes: tf.Tensor, d_hiddens: tf.Tensor, recurrent: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Returns the gradients by the gates, summed over the steps and points.

    Args:
        slopes, d_hiddens: of `_forward`.
        recurrent: the recurrent kernel, transposed, `(4 * units, units)`.
        points: how many points the rows are, with the sentences of each.

    Returns:
        `(words, sentences, 4 * units)`.
    """
    steps, rows, units = tf.shape(d_hiddens)[0], tf.shape(d_hiddens)[1], recurrent.shape[1]
    sentences = rows // points

    def step(t, d_gates, d_cell, total):
        # Here the word at t joins those behind it, as the first of them.
        d_hidden = tf.reshape(tf.matmul(tf.reshape(d_gates, (-1, 4 * units)), recurrent), (-1, rows, units))
        d_hidden = tf.concat([d_hiddens[t][None], d_hidden], axis=0)
        d_cell = tf.pad(d_cell, [[1, 0], [0, 0], [0, 0]]) + d_hidden * slopes[t, 5]
        through_cell = [d_cell * slopes[t, gate] for gate in range(3)]
        d_gates = tf.concat([*through_cell, d_hidden * slopes[t, 3]], axis=-1)
        by_point = tf.reshape(d_gates, (-1, points, sentences * 4 * units))
        summed = tf.reshape(tf.reduce_sum(by_point, axis=1), (-1, sentences, 4 * units))
        total = tf.pad(total, [[1, 0], [0, 0], [0, 0]]) + summed
        return t - 1, d_gates, d_cell * slopes[t, 4], total

    start = [tf.zeros((0, *shape)) for shape in ((rows, 4 * units), (rows, units), (sentences, 4 * units))]
    shapes = [tf.TensorShape((None, None, width)) for width in (4 * units, units, 4 * units)]
    *_, total = tf.while_loop(
        lambda t, *_: t >= 0,
        step,
        (steps - 1, *start),
        (tf.TensorShape(()), *shapes),
        parallel_iterations=1,
    )
    return total
