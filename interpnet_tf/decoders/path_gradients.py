"""Mean gradients of the words' log-probabilities along a straight path in r(x), for any decoder."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def path_gradients(
    read: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    begin: tf.Tensor,
    end: tf.Tensor,
    tokens: tf.Tensor,
    words: tf.Tensor,
    lengths: tf.Tensor,
    points: tf.Tensor,
    weights: tf.Tensor,
) -> tf.Tensor:
    """Returns the weighted sum of gradients at the points of a path, for each word of each sentence.

    A word depends on the words before it only, so that each is asked for in a sentence that ends with it, at
    all points of the path at once. One word after another: what a word takes is what the memory must hold.

    Args:
        read: gives logits `(batch, words, vocabulary)` of vectors `(batch, width)` and ids `(batch, words)`.
        begin: of the path, float `(sentences, width)`.
        end: of the path, likewise.
        tokens: int `(sentences, words)`, the start id followed by the sentence.
        words: int `(sentences, words)`, the ids whose log-probabilities are meant.
        lengths: int `(sentences,)`, how many of `words` count.
        points: where on the path, from 0 (its begin) to 1, float `(points,)`.
        weights: of the gradients at the points, float `(points,)`.

    Returns:
        float32 `(sentences, words, width)`, zeros for words that do not count.
    """
    counts = tf.sequence_mask(lengths, tf.shape(words)[1])
    chosen = tf.where(counts)

    def of_word(place: tf.Tensor) -> tf.Tensor:
        sentence, word = place[0], place[1]
        rows = begin[sentence] + points[:, None] * (end[sentence] - begin[sentence])
        said = tf.repeat(tokens[sentence, : word + 1][None], tf.shape(points)[0], axis=0)
        with tf.GradientTape() as tape:
            tape.watch(rows)
            logits = tf.cast(read(rows, said)[:, -1], tf.float32)
            of_id = tf.nn.log_softmax(logits)[:, words[sentence, word]]
            total = tf.reduce_sum(weights * of_id)
        gradient = tape.gradient(total, rows, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return tf.reduce_sum(gradient, axis=0)

    of_words = tf.map_fn(of_word, chosen, fn_output_signature=tf.float32, parallel_iterations=1)
    of_words = tf.reshape(of_words, (-1, end.shape[-1]))  # also where no word counts
    shape = tf.concat([tf.shape(words, tf.int64), [end.shape[-1]]], axis=0)
    return tf.scatter_nd(chosen, of_words, shape)
