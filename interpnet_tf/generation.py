"""Generation of sentences over any decoder's `start` and `step`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.tokenizer import ExplanationTokenizer

# Never said: padding and start are no words, and a reader learns nothing from "[unknown]".
_SILENT_IDS = (ExplanationTokenizer.pad_id, ExplanationTokenizer.start_id, ExplanationTokenizer.unknown_id)


def greedy(decoder: ExplanationDecoder, r: Any, max_length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Says the most probable word after each word, until every sentence of the batch has ended.

    Works eagerly and inside a `tf.function`; the loop is part of the graph.

    Args:
        decoder: a built decoder.
        r: float `(batch, width)`.
        max_length: the most ids a sentence may have, its end id included.

    Returns:
        The ids, int32 `(batch, max_length)`: words, the end id unless the sentence was cut off, padding. And
        the natural logarithm of each id's probability under the decoder, float32 `(batch, max_length)`,
        0 for padding.

    Example:

    >>> from interpnet_tf import LRCNDecoder
    >>> decoder = LRCNDecoder(vocabulary_size=10, units=4, seed=0)
    >>> r = tf.ones((2, 3))
    >>> _ = decoder({"r": r, "tokens": tf.ones((2, 1), tf.int32)})
    >>> ids, log_probabilities = greedy(decoder, r, max_length=5)
    >>> ids.shape, log_probabilities.shape
    (TensorShape([2, 5]), TensorShape([2, 5]))
    """
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1, got {max_length}")
    r = tf.convert_to_tensor(r)
    batch = tf.shape(r)[0]
    silence = tf.reduce_sum(tf.one_hot(_SILENT_IDS, decoder.vocabulary_size, on_value=float("inf")), axis=0)

    def unfinished(index, token, ended, *_):
        return tf.logical_and(index < max_length, tf.logical_not(tf.reduce_all(ended)))

    def say_one(index, token, ended, ids, log_probabilities, state):
        logits, state = decoder.step(token, state)
        token = tf.argmax(tf.where(silence > 0, float("-inf"), logits), axis=-1, output_type=tf.int32)
        chosen = -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=token, logits=logits)
        token = tf.where(ended, ExplanationTokenizer.pad_id, token)
        ids = ids.write(index, token)
        log_probabilities = log_probabilities.write(index, tf.where(ended, 0.0, chosen))
        ended = tf.logical_or(ended, tf.equal(token, ExplanationTokenizer.end_id))
        return index + 1, token, ended, ids, log_probabilities, state

    loop = (
        0,
        tf.fill((batch,), ExplanationTokenizer.start_id),
        tf.zeros((batch,), tf.bool),
        tf.TensorArray(tf.int32, max_length, element_shape=(None,)),
        tf.TensorArray(tf.float32, max_length, element_shape=(None,)),
        decoder.start(r),
    )
    length, _, _, ids, log_probabilities, _ = tf.while_loop(unfinished, say_one, loop, parallel_iterations=1)

    def batch_major(array: tf.TensorArray) -> tf.Tensor:
        rows = tf.transpose(array.gather(tf.range(length)))
        rows = tf.pad(rows, [[0, 0], [0, max_length - length]])
        return tf.ensure_shape(rows, (None, max_length))

    return batch_major(ids), batch_major(log_probabilities)
