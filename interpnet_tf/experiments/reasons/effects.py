"""The effect of each part of a drawn bird on a classifier's decision, measured by repainting the part."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from interpnet_tf.data import sketchbirds
from interpnet_tf.experiments.reasons import cache
from interpnet_tf.introspection.probabilities import class_probabilities, output_kind

PARTS = tuple(sketchbirds.VALUES)
LEAST_EFFECT = 0.05
_OTHER_VALUES = 3
_PICTURES_AT_ONCE = 64  # each is repainted some 30 times


@dataclasses.dataclass(frozen=True)
class Effects:
    """How much each part of each picture carried a classifier's decision.

    Args:
        parts: names of the parts: the attributes that can be repainted.
        values: the effect of each, between 0 and 1, `(pictures, parts)`; NaN where the picture does not show
            the part.
        flips: share of its repaintings after which another class is the most probable, `(pictures, parts)`;
            NaN alike.
    """

    parts: tuple[str, ...]
    values: np.ndarray
    flips: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    @property
    def counted(self) -> np.ndarray:
        """Whether a part of the picture has an effect of at least 0.05, so that there is a reason to name.

        Bool `(pictures,)`.
        """
        return np.nanmax(self.values, axis=1) >= LEAST_EFFECT

    @property
    def relative(self) -> np.ndarray:
        """The effects as shares of the largest in their picture, `(pictures, parts)`; NaN as in `values`."""
        largest = np.nanmax(self.values, axis=1, keepdims=True)
        return self.values / np.where(largest > 0, largest, 1)


def measure_effects(
    classifier: keras.Model,
    split: str = "test",
    seed: int = 0,
    image_size: int = 64,
    output: str | None = None,
    cache_folder: str | os.PathLike | None = None,
    progress: Callable[[int, int], None] | None = None,
    **drawing: Any,
) -> Effects:
    """Measures the effect of every visible part of every picture of a split of sketchbirds.

    The effect of a part is the mean total variation between the class probabilities before and after it is
    repainted, in three other values drawn at random, or in all where there are fewer:

        effect(part) = mean over values of ½ · Σ_class |P(class | picture) - P(class | repainted)|

    All else of the picture stays as it is, see `sketchbirds.repaint`. Where the bird is cannot be repainted,
    and is no part.

    Args:
        classifier: reads the pictures of `sketchbirds.load(split, seed, image_size=image_size)`.
        split, seed, image_size: as of `sketchbirds.load`.
        output: what the classifier gives, see `InterpNet`; `None` finds out.
        cache_folder: folder of a file of the effects, named after the classifier's weights and the other
            arguments: a second call reads it. `None` keeps nothing.
        progress: called with the number of pictures done and that of all.
        **drawing: other arguments of `sketchbirds.load`: `per_species`, `shortcut`, `mark`.

    Returns:
        `Effects`, the pictures in the order of `load`.

    Raises:
        ValueError: if an argument of `load` is out of its range.
    """
    output = output_kind(classifier, output)
    arguments = {"split": split, "seed": seed, "image_size": image_size, "output": output, **drawing}
    if cache_folder is not None:
        first = sketchbirds.repaint(0, {}, split, seed, image_size=image_size, **drawing)
        path = cache.path_of(cache_folder, classifier, first, arguments)
        if kept := cache.read(path, "values", "flips"):
            return Effects(PARTS, **kept)
    sketches = sketchbirds.sketches(split, seed, **drawing)
    measured = []
    for begin in range(0, len(sketches), _PICTURES_AT_ONCE):
        some = sketches[begin : begin + _PICTURES_AT_ONCE]
        measured.append(_repaint_each(classifier, output, some, image_size, begin))
        if progress is not None:
            progress(begin + len(some), len(sketches))
    values, flips = map(np.concatenate, zip(*measured, strict=True))
    effects = Effects(PARTS, values, flips)
    if cache_folder is not None:
        cache.write(path, values=effects.values, flips=effects.flips)
    return effects


def _repaint_each(
    classifier: keras.Model, output: str, sketches: list[sketchbirds.Sketch], image_size: int, begin: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns `values` and `flips` of some pictures, of which the first is number `begin` of the split."""
    repaints = [
        (row, column, value)
        for row, sketch in enumerate(sketches)
        for column, part in enumerate(PARTS)
        if part in sketch.facts.visible
        for value in _other_values(part, sketch.facts.attributes[part], [begin + row, column])
    ]
    pictures = [sketch.draw(image_size) for sketch in sketches]
    pictures += [sketches[row].draw(image_size, {PARTS[column]: value}) for row, column, value in repaints]
    scores = classifier.predict(np.stack(pictures), batch_size=256, verbose=0)
    probabilities = class_probabilities(classifier, scores, output).numpy()
    rows, columns = np.array([(row, column) for row, column, _ in repaints]).T
    before, after = probabilities[rows], probabilities[len(sketches) :]

    def mean_by_part(changes: np.ndarray) -> np.ndarray:
        sums, counts = np.zeros((2, len(sketches), len(PARTS)))
        np.add.at(sums, (rows, columns), changes)
        np.add.at(counts, (rows, columns), 1)
        return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)

    return (
        mean_by_part(np.abs(after - before).sum(axis=1) / 2),
        mean_by_part(after.argmax(axis=1) != before.argmax(axis=1)),
    )


def _other_values(part: str, value: str, seed: list[int]) -> list[str]:
    others = [other for other in sketchbirds.VALUES[part] if other != value]
    return np.random.default_rng(seed).permutation(others)[:_OTHER_VALUES].tolist()
