"""From a batch of inputs to explanations: the graph that explains, and the records made of what it gives."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf

from interpnet_tf import generation
from interpnet_tf.explanation import Explanation
from interpnet_tf.probabilities import class_probabilities
from interpnet_tf.tokenizer import ExplanationTokenizer

if TYPE_CHECKING:
    from interpnet_tf.model import InterpNet


class ExplainedBatch(NamedTuple):
    """What a model says of a batch, as tensors.

    Attributes:
        probabilities: of the classes, float32 `(batch, classes)`.
        ids: int32 `(batch, n_best, max_length)`, see `generation.Sentences`.
        log_probabilities: float32 `(batch, n_best, max_length)`.
        scores: float32 `(batch, n_best)`.
        texts: the sentences as strings, `(batch, n_best)`.
    """

    probabilities: Any
    ids: Any
    log_probabilities: Any
    scores: Any
    texts: Any


def explain_batch(
    model: InterpNet,
    x: Any,
    max_length: int,
    decoding: generation.Decoding,
    seed: Any,
    folded: Mapping[str, Any] | None = None,
    jit_compile: bool = False,
) -> ExplainedBatch:
    """Classifies a batch and says why, with core TensorFlow ops only, eagerly or in a graph.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads.
        max_length: the most ids of a sentence.
        decoding: how words are chosen.
        seed: two integers, of the draws.
        folded: what `model.decoder.fold()` returned, for many examples.
        jit_compile: whether XLA compiles the generation.
    """
    probabilities, r = classify_and_read(model, x)

    def generate(r: tf.Tensor, seed: Any, folded: Any) -> generation.Sentences:
        return generation.generate(model.decoder, r, max_length, decoding, seed, folded)

    said = (tf.function(generate, jit_compile=True) if jit_compile else generate)(r, seed, folded)
    texts = model.tokenizer.detokenize_tensor(tf.reshape(said.ids, (-1, max_length)))
    texts = tf.reshape(texts, tf.shape(said.scores))
    return ExplainedBatch(probabilities, *said, texts)


def classify_and_read(model: InterpNet, x: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns class probabilities `(batch, classes)` and r(x) `(batch, width)` as the decoder reads it."""
    activations = model.introspector(x, training=False)
    outputs = activations.get(model.introspector.probabilities_path)
    if outputs is None:
        outputs = model.classifier(x, training=False)
    probabilities = class_probabilities(model.classifier, outputs, model.output_kind)
    return probabilities, model.standardize(activations["r"])


def records(
    explained: ExplainedBatch, class_names: list[str], tokenizer: ExplanationTokenizer
) -> Iterator[Explanation]:
    """Yields an `Explanation` for each example of a batch.

    Args:
        explained: arrays of what `explain_batch` gave.
        class_names: one name a class.
        tokenizer: knows the words of the ids.
    """
    for probabilities, *sentences in zip(*explained, strict=True):
        class_id = int(probabilities.argmax())
        explanations = []
        for ids, of_ids, score, text in zip(*sentences, strict=True):
            words = tuple(tokenizer.words(ids))
            explanations.append(
                Explanation(
                    label=class_names[class_id],
                    class_id=class_id,
                    probability=float(probabilities[class_id]),
                    text=text.decode("utf-8"),
                    words=words,
                    log_probabilities=tuple(float(value) for value in of_ids[: len(words)]),
                    score=float(score),
                )
            )
        best, *others = explanations
        alternatives = tuple(other for other in others if math.isfinite(other.score))
        yield dataclasses.replace(best, alternatives=alternatives)


def word_ids(tokenizer: ExplanationTokenizer, argument: str, words: Iterable[str]) -> tuple[int, ...]:
    """Returns the ids of single words that the user named.

    Raises:
        ValueError: naming `argument`, if one of them is no single word that the tokenizer knows.
    """
    if isinstance(words, str):
        raise ValueError(f"{argument} must be a list of words, got the text {words!r}")
    words = list(words)
    ids = tokenizer.tokenize(words).to_list() if words else []
    for word, of_word in zip(words, ids, strict=True):
        if len(of_word) != 1 or of_word[0] == tokenizer.unknown_id:
            raise ValueError(
                f"{argument} must hold single words that the tokenizer knows, got {word!r}; "
                "model.tokenizer.vocabulary lists them"
            )
    return tuple(of_word[0] for of_word in ids)
