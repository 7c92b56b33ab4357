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
from interpnet_tf.data.sketchbirds.sentences import describe, render
from interpnet_tf.data.sketchbirds.species import NAMES, SPECIES, VARYING, Species

__all__ = [
    "NAMES",
    "SPECIES",
    "SPLITS",
    "VARYING",
    "BirdFacts",
    "Species",
    "describe",
    "draw",
    "load",
    "parse_facts",
    "render",
    "sample_facts",
]

# Images a species.
SPLITS = {"train": 100, "validation": 12, "test": 24}
_SENTENCES = 10


def load(
    split: str, seed: int = 0, per_species: int | None = None, image_size: int = 64
) -> ExplanationDataset:
    """Draws one split of the data set: the same arguments give the same bytes.

    Args:
        split: `"train"`, `"validation"` or `"test"`; each is a draw of its own.
        seed: of the draw.
        per_species: images a species; `None` for 100, 12 and 24 in the three splits. A smaller number
            gives the first images of a larger one.
        image_size: height and width of the images, in pixels. The facts and the sentences do not depend
            on it.

    Returns:
        An `ExplanationDataset` whose `inputs` are uint8 `(examples, image_size, image_size, 3)`, with ten
        sentences and one `BirdFacts` record an image.

    Raises:
        ValueError: if `split` is not a split, or a number is not an integer in its range.

    Example:

    >>> birds = load("test", per_species=2)
    >>> birds.inputs.shape, len(birds.class_names), len(birds.explanations[0])
    ((48, 64, 64, 3), 24, 10)
    >>> parse_facts(birds.explanations[0][0]) <= birds.facts[0].visible_facts
    True
    """
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

    pictures, labels, sentences, ids, records = [], [], [], [], []
    for label, species in enumerate(SPECIES.values()):
        for index in range(per_species):
            random = np.random.default_rng([seed, list(SPLITS).index(split), label, index])
            facts = sample_facts(species, random)
            sentences.append(describe(facts, random, _SENTENCES))
            pictures.append(draw(facts, random, image_size))
            labels.append(label)
            records.append(facts)
            ids.append(f"{split}-{species.name.lower().replace(' ', '-')}-{index}")
    return ExplanationDataset(np.stack(pictures), np.array(labels), list(NAMES), sentences, ids, records)
