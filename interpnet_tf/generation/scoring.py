"""How probable sentences are under a model: of texts that a user gives, and of what another decoder said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.language.tokenizer import ExplanationTokenizer, as_lists, flatten
from interpnet_tf.support.checks import check_whole


def score_sentences(
    model: ExplainingModel, x: Any, sentences: Any, batch_size: int
) -> np.ndarray | list[np.ndarray]:
    """Returns the log-probability of sentences: see `InterpNet.score_sentences`."""
    sentences = as_lists(sentences)
    if isinstance(sentences, (str, bytes, Mapping)) or not isinstance(sentences, Iterable):
        raise ValueError(f"sentences must be a list with an entry for each example, got {sentences!r}")
    entries = list(sentences)
    of_examples = [list(flatten([entry])) for entry in entries]
    r = model.introspect(x, batch_size)
    if len(r) != len(of_examples):
        raise ValueError(f"there are {len(r)} examples and sentences for {len(of_examples)}")
    owners = np.repeat(np.arange(len(r)), [len(of_one) for of_one in of_examples])
    texts = [sentence for of_one in of_examples for sentence in of_one]
    by_word = log_probabilities(model, r[owners], ids_of_texts(model, texts, owners), batch_size)
    totals = np.array([of_words.sum(dtype="float64") for of_words in by_word], "float32")
    if all(isinstance(entry, (str, bytes)) for entry in entries):
        return totals
    return np.split(totals, np.searchsorted(owners, np.arange(1, len(r))))[: len(r)]


def log_probabilities(
    model: ExplainingModel, r: np.ndarray, ids: Sequence[Sequence[int]], batch_size: int
) -> list[np.ndarray]:
    """Returns the natural logarithm of each id's probability given the ids before it.

    Args:
        model: the `InterpNet`.
        r: r(x) of each sentence's example, float `(sentences, width)`.
        ids: of each sentence, without the start id; the end counts where it is among them.
        batch_size: sentences at a time.

    Returns:
        float32 `(ids,)` for each sentence.
    """
    return by_sentence(model._score, (r,), ids, batch_size)


def by_sentence(
    graph: Callable[..., tf.Tensor],
    arrays: tuple[np.ndarray, ...],
    ids: Sequence[Sequence[int]],
    batch_size: int,
) -> list[np.ndarray]:
    """Runs a graph over sentences, some at a time.

    Args:
        graph: gives `(sentences, words, …)` of arrays and padded ids, in one argument.
        arrays: `(sentences, …)` each.
        ids: of each sentence.
        batch_size: sentences at a time.

    Returns:
        What it gives for each sentence, without the padding, `(words, …)`.
    """
    check_whole("batch_size", batch_size, 1)
    result: list[np.ndarray] = []
    for begin in range(0, len(ids), batch_size):
        part = ids[begin : begin + batch_size]
        examples = (*(array[begin : begin + batch_size] for array in arrays), padded(part))
        rows = graph(tuple(map(tf.constant, examples))).numpy()
        result += [row[: len(of_one)] for row, of_one in zip(rows, part, strict=True)]
    return result


def score_ids(model: ExplainingModel, examples: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Returns the log-probability of each id, float32 `(sentences, words)`.

    Args:
        model: the `InterpNet`.
        examples: r(x) `(sentences, width)` and ids `(sentences, words)` without the start id.
    """
    r, ids = examples
    logits = model({"r": r, "tokens": begun(ids)}, training=False)
    return tf.gather(tf.nn.log_softmax(logits), ids, axis=2, batch_dims=2)


def divergences(
    model: ExplainingModel, r: np.ndarray, other_r: np.ndarray, ids: Sequence[Sequence[int]], batch_size: int
) -> list[np.ndarray]:
    """Returns how differently a model goes on at each word of a sentence when it reads another r(x).

    Args:
        model: the `InterpNet`.
        r: r(x) of each sentence's example, float `(sentences, width)`, not standardized.
        other_r: the other r(x), of the same shape.
        ids: of each sentence, without the start id.
        batch_size: sentences at a time.

    Returns:
        For each sentence, float32 `(ids,)`: at each id, the Kullback-Leibler divergence Σ p log(p / q) in
        nats, where p is the distribution over words given r(x) and the words before, and q that given the
        other r(x) and the same words.
    """
    return by_sentence(model._diverge, (r, other_r), ids, batch_size)


def diverge(model: ExplainingModel, examples: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Returns the divergence at each id, float32 `(sentences, words)`, see `divergences`.

    Args:
        model: the `InterpNet`.
        examples: r(x) and another r(x), `(sentences, width)`, and ids `(sentences, words)`.
    """
    *pair, ids = examples
    log_p, log_q = (tf.nn.log_softmax(model({"r": r, "tokens": begun(ids)}, training=False)) for r in pair)
    return tf.maximum(tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=-1), 0)  # never less, but rounded


def begun(ids: tf.Tensor) -> tf.Tensor:
    """Returns what a decoder reads to predict ids `(sentences, words)`: the start id and all but the last."""
    return tf.pad(ids[:, :-1], [[0, 0], [1, 0]], constant_values=ExplanationTokenizer.start_id)


def padded(ids: Sequence[Sequence[int]]) -> np.ndarray:
    """Returns ids as rows of equal length, one at least, int32 `(sentences, words)`."""
    rows = np.full((len(ids), max(1, *map(len, ids))), ExplanationTokenizer.pad_id, "int32")
    for row, of_one in zip(rows, ids, strict=True):
        row[: len(of_one)] = of_one
    return rows


def ids_of_texts(model: ExplainingModel, texts: Sequence[str], owners: Sequence[int]) -> list[list[int]]:
    """Returns the ids of texts, their end included.

    Args:
        model: the `InterpNet`, whose tokenizer and greatest length count.
        texts: the sentences.
        owners: which example each is said of, for the message of an error.

    Raises:
        ValueError: if a text has no word, or more than the model says.
    """
    ids = model.tokenizer.tokenize(list(texts)).to_list() if texts else []
    for text, owner, of_one in zip(texts, owners, ids, strict=True):
        if not of_one:
            raise ValueError(f"sentences of example {owner} hold {text!r}, which has no word")
        if len(of_one) >= model.max_length:
            raise ValueError(
                f"sentences of example {owner} hold one of {len(of_one)} words and an end, and the model "
                f"says at most max_length={model.max_length}; shorten it, or build the model with more"
            )
    return [[*of_one, ExplanationTokenizer.end_id] for of_one in ids]


def ids_of_words(tokenizer: ExplanationTokenizer, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
    """Returns the ids of sentences whose words come from the tokenizer, without an end."""
    number = {word: index for index, word in enumerate(tokenizer.vocabulary, start=tokenizer.unknown_id + 1)}
    return [[number[word] for word in words] for words in sentences]


def ids_of_explanations(
    model: ExplainingModel, explanations: Sequence[Explanation | str], examples: int
) -> list[list[int]]:
    """Returns the ids of the words of explanations, without an end.

    Args:
        model: the `InterpNet`.
        explanations: what it said of each example, or texts.
        examples: their number.

    Raises:
        ValueError: if there is not an explanation for each example, or a text has no word or too many.
    """
    if isinstance(explanations, (str, Explanation)):
        raise ValueError("explanations must be a list with one for each example")
    if examples != len(explanations):
        raise ValueError(f"there are {examples} examples and {len(explanations)} explanations")
    texts = {index: text for index, text in enumerate(explanations) if isinstance(text, str)}
    words = [explanation.words for explanation in explanations if not isinstance(explanation, str)]
    of_texts = iter(ids_of_texts(model, list(texts.values()), list(texts)))
    of_records = iter(ids_of_words(model.tokenizer, words))
    return [next(of_texts)[:-1] if index in texts else next(of_records) for index in range(len(explanations))]
