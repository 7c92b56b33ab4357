"""`Sketch`: one example of the data set, which can be drawn again, with other attributes too."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from interpnet_tf.data.sketchbirds import marks
from interpnet_tf.data.sketchbirds.drawing import light, paint
from interpnet_tf.data.sketchbirds.facts import sample_facts
from interpnet_tf.data.sketchbirds.sentences import describe
from interpnet_tf.data.sketchbirds.species import SPECIES

# Images a species.
SPLITS = {"train": 100, "validation": 12, "test": 24}
_SENTENCES = 10


class Sketch:
    """One example: its facts, its sentences, and the random state that its drawing begins with.

    Args:
        split, seed: of the draw, as of `load`.
        species: name of the species.
        index: number of the example among those of its species.
        shortcut, mark: as of `load`.

    Attributes:
        facts: a `BirdFacts`.
        sentences: ten of them.
        mark: name of the species whose mark stands in the background, or `None`.
    """

    def __init__(
        self,
        split: str,
        seed: int,
        species: str,
        index: int,
        shortcut: float = 0.0,
        mark: str | None = None,
    ) -> None:
        draw = [seed, list(SPLITS).index(split), list(SPECIES).index(species), index]
        self._random = np.random.default_rng(draw)
        # The sentences are drawn before the picture.
        self.facts = sample_facts(SPECIES[species], self._random)
        self.sentences = describe(self.facts, self._random, _SENTENCES)
        # Of a mark nothing is drawn from the example's own generator: the picture beneath stays the same.
        self.mark = marks.marked_as(species, index, shortcut, mark, np.random.default_rng([*draw, 1]))

    def draw(self, image_size: int = 64, attributes: Mapping[str, str] | None = None) -> np.ndarray:
        """Draws the picture, with other attributes where they are given.

        Args:
            image_size: height and width of the picture, in pixels.
            attributes: attributes to be repainted and their new values, as of `repaint`, which checks them.

        Returns:
            A uint8 array `(image_size, image_size, 3)`; every call with the same arguments gives the same.
        """
        random, facts = copy.deepcopy(self._random), self.facts
        if not attributes:
            return light(paint(facts, random, image_size, self.mark), random)
        facts = dataclasses.replace(facts, attributes={**facts.attributes, **attributes})
        painted = paint(facts, random, image_size, self.mark)
        return light(painted, copy.deepcopy(self._random_of_light))

    @functools.cached_property
    def _random_of_light(self) -> np.random.Generator:
        # A bird of another size stands behind more or less grass, which takes more or fewer draws.
        random = copy.deepcopy(self._random)
        paint(self.facts, random)
        return random


def sketches(
    split: str,
    seed: int = 0,
    per_species: int | None = None,
    shortcut: float = 0.0,
    mark: str | None = None,
) -> list[Sketch]:
    """Returns the examples of a split in the order of `load`, which takes the same arguments.

    Raises:
        ValueError: if an argument is out of its range.
    """
    per_species = check_split(split, seed, per_species)
    marks.check_marks(shortcut, mark)
    return [
        Sketch(split, seed, species, index, shortcut, mark)
        for species in SPECIES
        for index in range(per_species)
    ]


def check_split(split: str, seed: int, per_species: int | None, image_size: int = 64) -> int:
    """Returns the images a species, after raising a `ValueError` for what is out of its range."""
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    per_species = SPLITS[split] if per_species is None else per_species
    for name, number, least in (
        ("seed", seed, 0),
        ("per_species", per_species, 1),
        ("image_size", image_size, 8),
    ):
        if not isinstance(number, (int, np.integer)) or number < least:
            raise ValueError(f"{name} must be an integer of at least {least}, got {number!r}")
    return per_species
