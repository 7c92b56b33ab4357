"""`BirdFacts`: what is true of one drawn bird, and what of it can be seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from interpnet_tf.data.sketchbirds.lexicon import Fact, part_of
from interpnet_tf.data.sketchbirds.species import SPECIES, Species

# What may stand before a bird in each place, as sets of parts hidden at once. Water and flight hide the
# legs of every bird.
_HIDDEN = {
    "branch": ((), (), (), ("tail",), ("legs",), ("legs", "belly")),
    "ground": ((), (), (), ("tail",), ("legs",), ("legs", "belly")),
    "water": (("legs",), ("legs",), ("legs",), ("legs", "tail")),
    "air": (("legs",),),
}


@dataclasses.dataclass(frozen=True)
class BirdFacts:
    """The truth about one picture.

    Args:
        species: name of the species, a key of `SPECIES`.
        attributes: every attribute of this bird and its value, hidden ones too.
        visible: names of the attributes that the picture shows.
    """

    species: str
    attributes: Mapping[str, str]
    visible: frozenset[str]

    @property
    def visible_facts(self) -> frozenset[Fact]:
        """The (attribute, value) pairs that the picture shows."""
        return frozenset((name, self.attributes[name]) for name in self.visible)

    @property
    def distinguishing(self) -> str | None:
        """The attribute that tells the species from its twin, or `None` where it has no twin."""
        return SPECIES[self.species].distinguishing

    @property
    def varying(self) -> frozenset[str]:
        """Names of the attributes in which birds of this species vary."""
        return frozenset(SPECIES[self.species].varying)


def sample_facts(species: Species, random: np.random.Generator) -> BirdFacts:
    """Draws one bird of a species: its varying attributes, and which of its parts are hidden."""
    attributes = dict(species.attributes)
    for name, values in species.varying.items():
        attributes[name] = values[random.integers(len(values))]
    choices = [
        parts
        for parts in _HIDDEN[attributes["place"]]
        if species.distinguishing is None or part_of(species.distinguishing) not in parts
    ]
    hidden = choices[random.integers(len(choices))]
    visible = frozenset(name for name in attributes if part_of(name) not in hidden)
    return BirdFacts(species.name, attributes, visible)
