"""`Attention`: to which layers of the classifier each word of an explanation looked."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.data.inputs import inputs_of
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.generation.scoring import begun, ids_of_texts, ids_of_words, padded


@dataclasses.dataclass(frozen=True, eq=False)
class Attention:
    """How much each word of a sentence looked at each layer of the classifier.

    Attributes:
        words: the words and punctuation marks.
        layers: names of the layers.
        weights: float32 `(words, layers)`; those of a word sum to 1.

    Example:

    >>> print(Attention(("a", "crow"), ("hidden", "output"), np.array([[0.75, 0.25], [0.5, 0.5]])))
          hidden  output
    a       0.75    0.25
    crow    0.50    0.50
    """

    words: tuple[str, ...]
    layers: tuple[str, ...]
    weights: np.ndarray

    def __str__(self) -> str:
        first = max(map(len, self.words), default=0)
        widths = [max(4, len(layer)) for layer in self.layers]
        titles = (layer.rjust(width) for layer, width in zip(self.layers, widths, strict=True))
        lines = ["  ".join([" " * first, *titles])]
        for word, of_word in zip(self.words, self.weights, strict=True):
            cells = (f"{weight:{width}.2f}" for weight, width in zip(of_word, widths, strict=True))
            lines.append("  ".join([word.ljust(first), *cells]))
        return "\n".join(lines)


def attention(
    model: ExplainingModel, x: Any, explanations: Sequence[Explanation | str] | None, batch_size: int
) -> list[Attention]:
    """Returns which layers the words looked at: see `InterpNet.attention`."""
    if not hasattr(model.decoder, "attention"):
        raise ValueError(
            f"{type(model.decoder).__name__} reads r(x) as one vector and attends to no layer; build the "
            "model with decoder='transformer', or with a decoder of your own that has a method `attention`"
        )
    x = inputs_of(x)
    if explanations is None:
        explanations = model.explain(x, batch_size=batch_size)
    if isinstance(explanations, (str, Explanation)):
        raise ValueError("explanations must be a list with one for each example")
    r = model.introspect(x, batch_size)
    if len(r) != len(explanations):
        raise ValueError(f"there are {len(r)} examples and {len(explanations)} explanations")
    ids = _ids(model, explanations)
    names, result = tuple(model.decoder.slices), []
    for begin in range(0, len(ids), batch_size):
        part = ids[begin : begin + batch_size]
        examples = (tf.constant(r[begin : begin + batch_size]), tf.constant(padded(part)))
        for of_one, weights in zip(part, model._attend(examples).numpy(), strict=True):
            words = tuple(model.tokenizer.words(of_one))
            result.append(Attention(words, names, weights[: len(words)]))
    return result


def attend(model: ExplainingModel, examples: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Returns the weights of the layers at each word, float32 `(sentences, words, layers)`.

    Args:
        model: an `InterpNet` whose decoder attends.
        examples: r(x) `(sentences, width)` and ids `(sentences, words)` without the start id.
    """
    r, ids = examples
    return model.decoder.attention({"r": model.standardize(r), "tokens": begun(ids)})


def _ids(model: ExplainingModel, explanations: Sequence[Explanation | str]) -> list[list[int]]:
    """Returns the ids of the words of each, without an end."""
    texts = {index: text for index, text in enumerate(explanations) if isinstance(text, str)}
    words = [explanation.words for explanation in explanations if not isinstance(explanation, str)]
    of_texts = iter(ids_of_texts(model, list(texts.values()), list(texts)))
    of_records = iter(ids_of_words(model.tokenizer, words))
    return [next(of_texts)[:-1] if index in texts else next(of_records) for index in range(len(explanations))]
