"""`Attribution`: how much each layer of the classifier contributed to each word."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Mapping
from typing import Any

import numpy as np

from interpnet_tf.attribution.tables import place_of, signed_table
from interpnet_tf.support.marked_words import legend_html, table_html, words_html

# Of a word whose log-probability changes by less than so many nats, 1 %, an error is measured against them.
LEAST_DIFFERENCE = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class Attribution:
    """How much each layer of r(x) contributed to the log-probability of each word of a sentence.

    Attributes:
        words: the words and punctuation marks, without an end.
        layers: names of the layers, in the order of r.
        scores: float32 `(words, layers)`, in nats.
        log_probabilities: of each word given x and the words before it, float32 `(words,)`, in nats.
        baseline_log_probabilities: the same, given the baseline in place of r(x).
        method: the method's name.
        units: the contribution of each number of r, float32 `(words, width)`; those of a layer add up to its
            score. `None` where the method tells layers only.
        slices: the slice of r that holds each layer, by name.
        heat_maps: for layers that come from maps, the contribution of each position, float32
            `(words, height, width)` (sequences: `(words, steps)`), by name; see `heat_map`.
        reason: how much of the classifier's decision rests on what each word says, float32 `(words,)`, see
            `ReasonScores.words`; `None` where no `reasons` were given.

    Example:

    >>> import numpy as np
    >>> a = Attribution(("a", "crow"), ("hidden", "output"), np.array([[0.1, 0], [2, -0.5]]),
    ...                 np.array([-0.1, -0.2]), np.array([-0.2, -1.75]), "shapley")
    >>> print(a)
          hidden  output
    a      +0.10   +0.00
    crow   +2.00   -0.50
    >>> a.completeness_error.round(2).tolist()
    [0.0, 0.05]
    """

    words: tuple[str, ...]
    layers: tuple[str, ...]
    scores: np.ndarray
    log_probabilities: np.ndarray
    baseline_log_probabilities: np.ndarray
    method: str
    units: np.ndarray | None = None
    slices: Mapping[str, slice] = dataclasses.field(default_factory=dict, repr=False)
    heat_maps: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict, repr=False)
    reason: np.ndarray | None = None

    @property
    def differences(self) -> np.ndarray:
        """What a word's scores should add up to: its log-probability minus the baseline's, `(words,)`."""
        return self.log_probabilities - self.baseline_log_probabilities

    @property
    def completeness_error(self) -> np.ndarray:
        """By how many nats the scores of a word miss its `differences`, `(words,)`; NaN for attention."""
        if self.method == "attention":
            return np.full(len(self.words), np.nan, "float32")
        return np.abs(self.scores.sum(axis=1) - self.differences)

    @property
    def relative_error(self) -> np.ndarray:
        """The completeness error as a share of the absolute difference, `(words,)`.

        Many a word, such as "a", is as probable whatever the example is: its difference is near zero, and a
        share of it says nothing. A difference of less than 0.01 nats counts as 0.01.
        """
        return self.completeness_error / np.maximum(np.abs(self.differences), LEAST_DIFFERENCE)

    def top_units(self, word: int | str, layer: str | int, count: int = 5) -> list[tuple[int, float]]:
        """Returns the units of a layer that contributed most to a word.

        Args:
            word: its number, or the word, of which the first is meant.
            layer: its name or number.
            count: how many.

        Returns:
            Pairs of a unit's number within its layer and its contribution in nats, the greatest absolute
            value first.

        Raises:
            ValueError: if there is no such word or layer, or the method tells layers only.
        """
        of_word = place_of("word", word, self.words)
        layer = self.layers[place_of("layer", layer, self.layers)]
        return top_units(self.units, (of_word, self.slices[layer]), count, self.method)

    def heat_map(self, word: int | str, layer: str | int | None = None) -> np.ndarray:
        """Returns where in a layer's map its contribution to a word lies.

        The share of a position is its activation times the mean gradient that reaches it through the pooling,
        summed over the channels. What is missing to the layer's score, the baseline's part, is shared out
        evenly. So for average pooling the share is gradient * (activation - baseline) / positions.

        Args:
            word: its number, or the word, of which the first is meant.
            layer: its name or number; `None` is the one among those with a map that contributed most.

        Returns:
            float32 `(height, width)`, for sequences `(steps,)`, whose sum is the layer's score.

        Raises:
            ValueError: if there is no such word, or no map.
        """
        of_word = place_of("word", word, self.words)
        return chosen_map(self.heat_maps, layer, self.layers, self.scores[of_word], self.method)[of_word]

    @property
    def strongest(self) -> list[tuple[int | None, float]]:
        """For each word the number of the layer that contributed most to it, and by how much.

        The amount is the layer's score as a share of the greatest in the sentence, 0..1. Where it is below a
        twentieth, or 0.01 nats, the layer is `None`: nothing carried the word.
        """
        if not self.scores.size:
            return [(None, 0.0)] * len(self.words)
        best, greatest = self.scores.argmax(axis=1), float(self.scores.max())
        least = max(LEAST_DIFFERENCE, greatest / 20)
        amounts = self.scores[np.arange(len(best)), best].tolist()
        return [
            (int(layer), amount / greatest) if amount >= least else (None, 0.0)
            for layer, amount in zip(best, amounts, strict=True)
        ]

    def sentence_html(self) -> str:
        """Returns the sentence as HTML, each word marked by the layer that contributed most to it."""
        places, strengths = zip(*self.strongest, strict=True) if self.words else ((), ())
        titles = [
            ", ".join(f"{layer} {score:+.2f}" for layer, score in zip(self.layers, of_word, strict=True))
            for of_word in self.scores
        ]
        return words_html(self.words, places, strengths, titles)

    def _repr_html_(self) -> str:
        cells = [[f"{score:+.2f}" for score in of_word] for of_word in self.scores]
        unit = "weights of attention" if self.method == "attention" else "nats"
        return (
            f"<p>{self.sentence_html()}</p><p><small>the layer that contributed most to a word, the "
            f"stronger the more: {legend_html(self.layers)}</small></p><details><summary>{unit}, "
            f"{html.escape(self.method)}</summary>{table_html(self.words, self.layers, cells)}</details>"
        )

    def __str__(self) -> str:
        return signed_table(self.words, self.layers, self.scores)


def top_units(units: np.ndarray | None, part: Any, count: int, method: str) -> list[tuple[int, float]]:
    """Returns numbers and values of the greatest `units[part]` by absolute value, the greatest first.

    Raises:
        ValueError: if there are none, as the method tells layers only.
    """
    if units is None:
        raise ValueError(f"{method!r} tells layers only; use method='integrated_gradients' for units")
    units = units[part]
    order = np.argsort(-np.abs(units), kind="stable")[:count]
    return [(int(unit), float(units[unit])) for unit in order]


def chosen_map(
    maps: Mapping[str, np.ndarray],
    layer: str | int | None,
    layers: tuple[str, ...],
    scores: np.ndarray,
    method: str,
) -> np.ndarray:
    """Returns the map of the layer that a user names, or of the layer of the greatest score that has one.

    Raises:
        ValueError: if that layer has no map, or none has.
    """
    if not maps:
        raise ValueError(
            f"there is no heat map: no layer of {list(layers)} comes from maps or sequences, heat_maps=False "
            f"was asked for, or the method ({method!r}) takes no gradients, as 'integrated_gradients' does"
        )
    if layer is None:
        layer = max(maps, key=lambda name: abs(scores[layers.index(name)]))
    layer = layers[place_of("layer", layer, layers)]
    if layer not in maps:
        raise ValueError(f"layer {layer!r} comes from no map; those that do are {list(maps)}")
    return maps[layer]
