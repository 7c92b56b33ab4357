"""From a batch of inputs to explanations: the graph that explains, and the records made of what it gives."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.inputs import input_batches, number_of_examples, read_arrays
from interpnet_tf.data.streams import is_stream
from interpnet_tf.generation.asked_class import asked_classes, classes_of_batch, decided
from interpnet_tf.generation.decoding import Decoding
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.generation.loop import Sentences, generate
from interpnet_tf.introspection.finite import check_results, finite_batches
from interpnet_tf.introspection.probabilities import class_probabilities
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.support.checks import check_whole

# From so many examples on the decoder's weights are folded first, see `ExplanationDecoder.fold`.
_MANY_EXAMPLES = 512


class ExplainedBatch(NamedTuple):
    """What a model says of a batch, as tensors.

    Attributes:
        probabilities: of the classes, float32 `(batch, classes)`.
        ids: int32 `(batch, n_best, max_length)`, see `generation.Sentences`.
        log_probabilities: float32 `(batch, n_best, max_length)`.
        scores: float32 `(batch, n_best)`; NaN where r(x) is not finite.
        texts: the sentences as strings, `(batch, n_best)`.
    """

    probabilities: Any
    ids: Any
    log_probabilities: Any
    scores: Any
    texts: Any


def explain(
    model: ExplainingModel,
    x: Any,
    decoding: Decoding,
    max_length: int | None,
    class_id: Any,
    seed: int | None,
    batch_size: int,
    jit_compile: bool,
) -> list[Explanation]:
    """Classifies examples and says why: what `InterpNet.explain` does with options that are checked.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads, an `ExplanationDataset`, or a `tf.data.Dataset` of batches.
        decoding: how words are chosen.
        max_length: the most words; `None` is the model's.
        class_id: the class that is asked for, or one for each example; `None` is the predicted one.
        seed: of the draws; `None` draws anew at each call.
        batch_size: examples at a time.
        jit_compile: whether XLA compiles the generation.
    """
    max_length = model.max_length if max_length is None else max_length
    check_whole("max_length", max_length, 1)
    model.decoder.check_length(max_length)
    seed = random.randrange(2**31) if seed is None else seed
    check_whole("seed", seed, 0, 2**31 - 1)
    options = {"max_length": int(max_length), "decoding": decoding, "jit_compile": bool(jit_compile)}
    explanations: list[Explanation] = []
    expected = model.introspector.input
    x = x if is_stream(x) else read_arrays(x, expected)
    few = not is_stream(x) and number_of_examples(x) < _MANY_EXAMPLES
    folded = None if few else model.decoder.fold()
    asked = None if class_id is None else asked_classes(model, class_id)
    for index, part in enumerate(finite_batches(input_batches(x, batch_size, expected), model.introspector)):
        of_part = None
        if asked is not None:
            of_part = classes_of_batch(asked, len(explanations), len(keras.tree.flatten(part)[0]))
        examples = (part,) if of_part is None else (part, of_part)
        explained = model._explain(examples, tf.constant([seed, index]), folded, **options)
        explained = ExplainedBatch(*(result.numpy() for result in explained))
        finite = np.isfinite(explained.probabilities).all(axis=1) & ~np.isnan(explained.scores).any(axis=1)
        check_results(model.classifier, finite, begin=len(explanations))
        explanations += records(explained, model.class_names, model.tokenizer, of_part)
    if asked is not None and asked.ndim and len(asked) != len(explanations):
        raise ValueError(f"class_id names {len(asked)} classes for {len(explanations)} examples")
    return explanations


def explain_examples(
    model: ExplainingModel, examples: tuple, seed: Any, folded: Mapping[str, Any] | None, **options: Any
) -> ExplainedBatch:
    """Is `explain_batch` with what belongs to the examples in one argument: `(x,)` or `(x, class_ids)`."""
    x, *class_ids = examples
    return explain_batch(model, x, seed, folded, *class_ids, **options)


def explain_batch(
    model: ExplainingModel,
    x: Any,
    seed: Any,
    folded: Mapping[str, Any] | None = None,
    class_ids: Any = None,
    *,
    max_length: int,
    decoding: Decoding,
    jit_compile: bool = False,
) -> ExplainedBatch:
    """Classifies a batch and says why, with core TensorFlow ops only, eagerly or in a graph.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads.
        seed: two integers, of the draws.
        folded: what `model.decoder.fold()` returned, for many examples.
        class_ids: int `(batch,)`, the classes to be explained; `None` are the predicted ones.
        max_length: the most ids of a sentence.
        decoding: how words are chosen.
        jit_compile: whether XLA compiles the generation.
    """
    read = classify_and_read(model, x, class_ids)
    return say_batch(
        model, read, seed, folded, max_length=max_length, decoding=decoding, jit_compile=jit_compile
    )


def say_batch(
    model: ExplainingModel,
    examples: tuple[tf.Tensor, tf.Tensor],
    seed: Any,
    folded: Mapping[str, Any] | None = None,
    *,
    max_length: int,
    decoding: Decoding,
    jit_compile: bool = False,
) -> ExplainedBatch:
    """Says why of class probabilities and r(x), wherever they come from.

    Args:
        model: the `InterpNet`.
        examples: what `classify_and_read` gives: probabilities `(batch, classes)` and r(x) `(batch, width)`
            as the decoder reads it.
        seed, folded, max_length, decoding, jit_compile: see `explain_batch`.
    """
    probabilities, r = examples

    def say(r: tf.Tensor, seed: Any, folded: Any) -> Sentences:
        return generate(model.decoder, r, max_length, decoding, seed, folded)

    said = (tf.function(say, jit_compile=True, autograph=False) if jit_compile else say)(r, seed, folded)
    texts = model.tokenizer.detokenize_tensor(tf.reshape(said.ids, (-1, max_length)))
    texts = tf.reshape(texts, tf.shape(said.scores))
    # Infinity may saturate a decoder, which then says something all the same.
    finite = tf.reduce_all(tf.math.is_finite(r), axis=1, keepdims=True)
    said = said._replace(scores=tf.where(finite, said.scores, math.nan))
    return ExplainedBatch(probabilities, *said, texts)


def classify_and_read(model: ExplainingModel, x: Any, class_ids: Any = None) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns class probabilities `(batch, classes)` and r(x) `(batch, width)` as the decoder reads it.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads.
        class_ids: int `(batch,)`, for r(x) as if these classes were predicted, see `asked_class.decided`.
    """
    activations = model.introspector(x, training=False)
    outputs = activations.get(model.introspector.probabilities_path)
    if outputs is None:
        outputs = model.classifier(x, training=False)
    probabilities = class_probabilities(model.classifier, outputs, model.output_kind)
    r = activations["r"] if class_ids is None else decided(model, activations["r"], class_ids)
    return probabilities, model.standardize(r)


def records(
    explained: ExplainedBatch,
    class_names: list[str],
    tokenizer: ExplanationTokenizer,
    class_ids: Any = None,
) -> Iterator[Explanation]:
    """Yields an `Explanation` for each example of a batch.

    Args:
        explained: arrays of what `explain_batch` gave.
        class_names: one name a class.
        tokenizer: knows the words of the ids.
        class_ids: int `(batch,)`, the classes that were asked for; `None` are the predicted ones.
    """
    class_ids = explained.probabilities.argmax(axis=1) if class_ids is None else np.asarray(class_ids)
    for class_id, probabilities, *sentences in zip(
        class_ids.tolist(), *(part.tolist() for part in explained), strict=True
    ):
        of_class = {
            "label": class_names[class_id],
            "class_id": class_id,
            "probability": probabilities[class_id],
            "probabilities": tuple(probabilities),
        }
        explanations = []
        for ids, of_ids, score, text in zip(*sentences, strict=True):
            words = tuple(tokenizer.words(ids))
            said = {"words": words, "log_probabilities": tuple(of_ids[: len(words)]), "score": score}
            explanations.append(Explanation(text=text.decode("utf-8"), **of_class, **said))
        best, *others = explanations
        alternatives = tuple(other for other in others if math.isfinite(other.score))
        yield dataclasses.replace(best, alternatives=alternatives) if alternatives else best


def word_ids(tokenizer: ExplanationTokenizer, argument: str, words: Iterable[str]) -> tuple[int, ...]:
    """Returns the ids of single words that the user named, each once, in rising order.

    Raises:
        ValueError: naming `argument`, if one of them is no single word that the tokenizer knows.
    """
    if isinstance(words, str):
        raise ValueError(f"{argument} must be a list of words, got the text {words!r}")
    words = list(words) if isinstance(words, Iterable) else words
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(f"{argument} must be a list of words, got {words!r}")
    ids = tokenizer.tokenize(words).to_list() if words else []
    for word, of_word in zip(words, ids, strict=True):
        if len(of_word) != 1 or of_word[0] == tokenizer.unknown_id:
            raise ValueError(
                f"{argument} must hold single words that the tokenizer knows, got {word!r}; "
                "model.tokenizer.vocabulary lists them"
            )
    return tuple(sorted({of_word[0] for of_word in ids}))
