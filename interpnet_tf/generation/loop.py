"""Generation of sentences over any decoder's `start` and `step`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.generation.decoding import GREEDY, SILENT_IDS, Decoding
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.support.checks import check_whole

_NEVER = float("-inf")


class Sentences(NamedTuple):
    """What `generate` says of a batch.

    Attributes:
        ids: int32 `(batch, n_best, max_length)`: words, the end id unless the sentence was cut off, padding.
        log_probabilities: natural logarithm of each id's probability under the decoder, float32
            `(batch, n_best, max_length)`, 0 for padding.
        scores: float32 `(batch, n_best)`, the sum of the log-probabilities over the length penalty; from beam
            search in falling order, -inf where there are not so many sentences.
    """

    ids: tf.Tensor
    log_probabilities: tf.Tensor
    scores: tf.Tensor


def generate(
    decoder: ExplanationDecoder,
    r: Any,
    max_length: int,
    decoding: Decoding = GREEDY,
    seed: Any = (0, 0),
    folded: Mapping[str, Any] | None = None,
    probabilities: bool = True,
) -> Sentences:
    """Says sentences word by word, until every sentence of the batch has ended.

    Works eagerly and inside a `tf.function`; the loop is part of the graph. It is our own, as the loops of
    keras-nlp's samplers return no probabilities, keep words after the end, and draw from a generator whose
    state an exported graph cannot hold.

    Args:
        decoder: a built decoder.
        r: float `(batch, width)`.
        max_length: the most ids a sentence may have, its end id included.
        decoding: how words are chosen.
        seed: two integers, of the draws.
        folded: what `decoder.fold()` returned, which makes many sentences faster.
        probabilities: whether the probabilities of the words are wanted. Without them, which beam search
            cannot do, sentences come up to a tenth faster, and log-probabilities and scores are 0.

    Returns:
        The `Sentences`.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> from interpnet_tf import LRCNDecoder
    >>> decoder = LRCNDecoder(vocabulary_size=10, units=4, seed=0)
    >>> r = tf.ones((2, 3))
    >>> _ = decoder({"r": r, "tokens": tf.ones((2, 1), tf.int32)})
    >>> generate(decoder, r, 5, Decoding("beam", beams=4, n_best=3)).ids.shape
    TensorShape([2, 3, 5])
    """
    check_whole("max_length", max_length, 1)
    if decoding.sampler == "beam" and not probabilities:
        raise ValueError("probabilities must be True with sampler 'beam', which compares them")
    decoder.check_length(max_length)
    rows = decoding.rows
    stepper = decoder.folded(folded) if folded else decoder
    silent = silence(decoder.vocabulary_size, decoding.forbidden)
    state = stepper.start(tf.convert_to_tensor(r))  # once an example, however many sentences grow of it
    state = {name: tf.repeat(part, rows, axis=0) for name, part in state.items()} if rows > 1 else state
    count = tf.shape(r)[0] * rows
    first_score = tf.zeros((count,))
    if decoding.sampler == "beam":  # all beams start alike: only the first may count
        first_score = tf.where(tf.range(count) % rows == 0, 0.0, _NEVER)

    def unfinished(index, token, ended, *_):
        return tf.logical_and(index < max_length, tf.logical_not(tf.reduce_all(ended)))

    def say_one(index, token, ended, ids, log_probabilities, score, state):
        logits, state = stepper.step(token, state)
        if decoding.sampler == "beam":
            words = _allowed(tf.nn.log_softmax(logits) + silent, ids, index, decoding)
            nothing = tf.one_hot(ExplanationTokenizer.pad_id, decoder.vocabulary_size, 0.0, _NEVER)
            words = tf.where(ended[:, None], nothing, words)
            lengths = tf.where(ended, _lengths(ids), index + 1)
            parent, token, found = _best(words, score, lengths, _said(ids, decoding), decoding)
            chosen = tf.gather_nd(words, tf.stack([parent, token], axis=1))
            grown = (ended, ids, log_probabilities, score, state)
            # Rows only change places: their number is that of the loop's tensors.
            ended, ids, log_probabilities, score, state = tf.nest.map_structure(
                lambda part: tf.ensure_shape(tf.gather(part, parent), part.shape), grown
            )
            score = tf.where(found, score, _NEVER)
        else:
            words = _allowed(logits + silent, ids, index, decoding)
            token = _next(words, tf.stack([seed[0], seed[1] * max_length + index]), decoding)
            chosen = tf.zeros_like(score)
            if probabilities:
                chosen = _of_rows(tf.nn.log_softmax(logits), token)
            chosen = tf.where(tf.equal(_of_rows(words, token), _NEVER), _NEVER, chosen)
            chosen = tf.where(ended, 0.0, chosen)
            token = tf.where(ended, ExplanationTokenizer.pad_id, token)
        here = tf.range(max_length) == index
        ids = tf.where(here, token[:, None], ids)
        log_probabilities = tf.where(here, chosen[:, None], log_probabilities)
        score += chosen
        ended |= tf.equal(token, ExplanationTokenizer.end_id) | tf.equal(score, _NEVER)
        return index + 1, token, ended, ids, log_probabilities, score, state

    loop = (
        0,
        tf.fill((count,), ExplanationTokenizer.start_id),
        tf.zeros((count,), tf.bool),
        tf.fill((count, max_length), ExplanationTokenizer.pad_id),
        tf.zeros((count, max_length)),
        first_score,
        state,
    )
    _, _, _, ids, log_probabilities, score, _ = tf.while_loop(unfinished, say_one, loop)
    score /= _penalty(_lengths(ids), decoding)
    complete = tf.reduce_all(_said(ids, decoding), axis=1)
    rank = tf.reshape(score - tf.where(complete, 0.0, 1e9), (-1, rows))
    order = tf.argsort(rank, axis=1, direction="DESCENDING", stable=True)[:, : decoding.n_best]

    def by_example(part: tf.Tensor) -> tf.Tensor:
        return tf.gather(tf.reshape(part, (-1, rows, *part.shape[1:])), order, axis=1, batch_dims=1)

    return Sentences(by_example(ids), by_example(log_probabilities), by_example(score))


def silence(vocabulary: int, forbidden: tuple[int, ...] = ()) -> np.ndarray:
    """Returns -inf for each word that is never said and 0 for the others, `(vocabulary,)`, to be added."""
    silent = np.zeros(vocabulary, "float32")
    silent[[*SILENT_IDS, *forbidden]] = _NEVER
    return silent


def _allowed(words: tf.Tensor, ids: tf.Tensor, index: tf.Tensor, decoding: Decoding) -> tf.Tensor:
    """Gives -inf to the words that may not follow the ids before; `words` are scores `(rows, vocabulary)`."""
    vocabulary = words.shape[-1]
    if decoding.min_length or decoding.required:
        missing = tf.logical_not(tf.reduce_all(_said(ids, decoding), axis=1, keepdims=True))
        end = tf.range(vocabulary) == ExplanationTokenizer.end_id
        words = tf.where(end & (missing | (index < decoding.min_length)), _NEVER, words)
    n, length = decoding.no_repeat_ngram, ids.shape[1]
    if 0 < n < length:
        # Wherever the last n - 1 words stood before, the word that followed them may not follow again.
        last = tf.gather(ids, tf.maximum(index - n + 1, 0) + tf.range(n - 1), axis=1)
        windows = tf.stack([ids[:, begin : length - n + 1 + begin] for begin in range(n)], axis=-1)
        said = tf.range(length - n + 1) + n - 1 < index
        known = tf.reduce_all(windows[..., :-1] == last[:, None], axis=-1) & said
        followers = tf.where(known, windows[..., -1], ExplanationTokenizer.pad_id)  # padding is silent anyway
        rows = tf.broadcast_to(tf.range(tf.shape(ids)[0])[:, None], tf.shape(followers))
        never = tf.fill(tf.shape(followers), _NEVER)
        words = tf.tensor_scatter_nd_min(words, tf.stack([rows, followers], axis=-1), never)
    return words


def _best(
    words: tf.Tensor, score: tf.Tensor, lengths: tf.Tensor, said: tf.Tensor, decoding: Decoding
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the row that each of the best beginnings grows from, its new word, and whether it exists."""
    beams, vocabulary, required = decoding.beams, words.shape[-1], len(decoding.required)
    ranked = (score[:, None] + words) / _penalty(lengths, decoding)[:, None]
    newly_said = tf.where(said[..., None], 0, tf.one_hot(decoding.required, vocabulary, dtype=tf.int32))
    count = tf.reduce_sum(tf.cast(said, tf.int32), axis=1, keepdims=True) + tf.reduce_sum(newly_said, axis=1)
    scores, best = [], []
    for already in range(required + 1):
        share = beams // (required + 1) + (beams % (required + 1) if already == required else 0)
        candidates = tf.where(count == already, ranked, _NEVER)
        top = tf.math.top_k(tf.reshape(candidates, (-1, beams * vocabulary)), share)
        scores.append(top.values)
        best.append(top.indices)
    found = tf.reshape(tf.concat(scores, axis=1), (-1,)) > _NEVER
    best = tf.concat(best, axis=1)
    first_row = beams * tf.range(tf.shape(best)[0])[:, None]
    return tf.reshape(best // vocabulary + first_row, (-1,)), tf.reshape(best % vocabulary, (-1,)), found


def _of_rows(words: tf.Tensor, token: tf.Tensor) -> tf.Tensor:
    """Returns the score of one word of each row."""
    return tf.gather(words, token, axis=1, batch_dims=1)


def _said(ids: tf.Tensor, decoding: Decoding) -> tf.Tensor:
    """Returns which of the required ids each row has said, bool `(rows, required)`."""
    required = tf.constant(decoding.required, tf.int32, (1, 1, len(decoding.required)))
    return tf.reduce_any(ids[..., None] == required, axis=1)


def _next(words: tf.Tensor, seed: Any, decoding: Decoding) -> tf.Tensor:
    """Returns the best word of each row, or one drawn."""
    if decoding.sampler == "greedy":
        return tf.argmax(words, axis=-1, output_type=tf.int32)
    words = words / decoding.temperature
    if decoding.sampler == "top_k" or decoding.p < 1:
        ordered = tf.sort(words, axis=-1, direction="DESCENDING")
        if decoding.sampler == "top_k":
            least = ordered[:, min(decoding.k, words.shape[-1]) - 1]
        else:
            more_probable = tf.cumsum(tf.nn.softmax(ordered), axis=-1, exclusive=True)
            least = tf.reduce_min(tf.where(more_probable < decoding.p, ordered, float("inf")), axis=-1)
        words = tf.where(words < least[:, None], _NEVER, words)
    # Gumbel (1954): the largest of log-probabilities plus Gumbel noise is a draw from the distribution.
    uniform = tf.random.stateless_uniform(tf.shape(words), seed, minval=1e-20)
    return tf.argmax(words - tf.math.log(-tf.math.log(uniform)), axis=-1, output_type=tf.int32)


def _lengths(ids: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(ids, axis=1, dtype=tf.int32)  # the padding id is 0


def _penalty(lengths: tf.Tensor, decoding: Decoding) -> tf.Tensor:
    return ((5.0 + tf.cast(lengths, tf.float32)) / 6.0) ** decoding.length_penalty
