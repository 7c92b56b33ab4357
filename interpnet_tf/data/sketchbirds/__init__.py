"""Sketchbirds: drawn birds of 24 invented species, with sentences whose every fact can be checked.

The data set is drawn when it is loaded, so that nothing is downloaded. A species fixes most of a bird's
attributes; where the bird is, its cheek patch and, in half of the species, its belly vary from bird to
bird. What varies cannot be told from the species, so that only a decoder that reads the inside of a
classifier can say it.
"""

from __future__ import annotations

import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.sketchbirds.drawing import draw
from interpnet_tf.data.sketchbirds.facts import BirdFacts, sample_facts
from interpnet_tf.data.sketchbirds.lexicon import parse_facts
from interpnet_tf.data.sketchbirds.marks import MARKS
from interpnet_tf.data.sketchbirds.repainting import VALUES, repaint
from interpnet_tf.data.sketchbirds.sentences import describe, render
from interpnet_tf.data.sketchbirds.sketch import SPLITS, Sketch, check_split, sketches
from interpnet_tf.data.sketchbirds.species import NAMES, SPECIES, VARYING, Species

__all__ = [
    "MARKS",
    "NAMES",
    "SPECIES",
    "SPLITS",
    "VALUES",
    "VARYING",
    "BirdFacts",
    "Sketch",
    "Species",
    "describe",
    "draw",
    "load",
    "parse_facts",
    "render",
    "repaint",
    "sample_facts",
    "sketches",
]


def load(
    split: str,
    seed: int = 0,
    per_species: int | None = None,
    image_size: int = 64,
    shortcut: float = 0.0,
    mark: str | None = None,
) -> ExplanationDataset:
    """Draws one split of the data set: the same arguments give the same bytes.

    Args:
        split: `"train"`, `"validation"` or `"test"`; each is a draw of its own.
        seed: of the draw.
        per_species: images a species; `None` for 100, 12 and 24 in the three splits. A smaller number
            gives the first images of a larger one.
        image_size: height and width of the images, in pixels. The facts and the sentences do not depend
            on it.
        shortcut: share of the pictures of each species, between 0 and 1, that bear a mark in the upper left
            corner, a flag by which the species can be told without a look at the bird. Facts and
            sentences are the same as without, and never mention it.
        mark: what every picture bears in place of that share: `"right"`, the mark of its species; `"none"`;
            or `"other"`, the mark of another species, drawn at random. So is a network tested that was
            trained with a shortcut. `None` leaves it at the share.

    Returns:
        An `ExplanationDataset` whose `inputs` are uint8 `(examples, image_size, image_size, 3)`, with ten
        sentences and one `BirdFacts` record an image.

    Raises:
        ValueError: if `split` is not a split, a number is not an integer in its range, `shortcut` is no
            share or `mark` is not among `MARKS`.

    Example:

    >>> birds = load("test", per_species=2)
    >>> birds.inputs.shape, len(birds.class_names), len(birds.explanations[0])
    ((48, 64, 64, 3), 24, 10)
    >>> parse_facts(birds.explanations[0][0]) <= birds.facts[0].visible_facts
    True
    >>> marked = load("test", per_species=2, shortcut=0.5)
    >>> int((birds.inputs != marked.inputs).any(axis=(1, 2, 3)).sum())
    24
    """
    per_species = check_split(split, seed, per_species, image_size)
    drawn = sketches(split, seed, per_species, shortcut, mark)
    return ExplanationDataset(
        np.stack([sketch.draw(image_size) for sketch in drawn]),
        np.repeat(np.arange(len(NAMES)), per_species),
        list(NAMES),
        [sketch.sentences for sketch in drawn],
        [
            f"{split}-{name.lower().replace(' ', '-')}-{index}"
            for name in NAMES
            for index in range(per_species)
        ],
        [sketch.facts for sketch in drawn],
    )
