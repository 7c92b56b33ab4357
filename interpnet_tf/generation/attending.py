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
from interpnet_tf.generation.scoring import begun, by_sentence, ids_of_explanations


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
    check_attends(model)
    x = inputs_of(x)
    if explanations is None:
        explanations = model.explain(x, batch_size=batch_size)
    r = model.introspect(x, batch_size)
    ids = ids_of_explanations(model, explanations, len(r))
    names, weights = tuple(model.decoder.slices), layers_looked_at(model, r, ids, batch_size)
    words = (tuple(model.tokenizer.words(of_one)) for of_one in ids)
    return [Attention(of_one, names, looked) for of_one, looked in zip(words, weights, strict=True)]


def check_attends(model: ExplainingModel) -> None:
    """Raises a `ValueError` if the decoder attends to no layer."""
    if not hasattr(model.decoder, "attention"):
        raise ValueError(
            f"{type(model.decoder).__name__} reads r(x) as one vector and attends to no layer; build the "
            "model with decoder='transformer', or with a decoder of your own that has a method `attention`"
        )


def layers_looked_at(
    model: ExplainingModel, r: np.ndarray, ids: Sequence[Sequence[int]], batch_size: int
) -> list[np.ndarray]:
    """Returns how much each word looked at each layer, float32 `(words, layers)` for each sentence.

    Args:
        model: the `InterpNet`.
        r: r(x) of each sentence's example, float `(sentences, width)`.
        ids: of each sentence, without the start id.
        batch_size: sentences at a time.

    Raises:
        ValueError: if the decoder attends to no layer.
    """
    check_attends(model)
    return by_sentence(model._attend, (r,), ids, batch_size)


def attend(model: ExplainingModel, examples: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Returns the weights of the layers at each word, float32 `(sentences, words, layers)`.

    Args:
        model: an `InterpNet` whose decoder attends.
        examples: r(x) `(sentences, width)` and ids `(sentences, words)` without the start id.
    """
    r, ids = examples
    return model.decoder.attention({"r": model.standardize(r), "tokens": begun(ids)})
