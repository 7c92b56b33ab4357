"""The 24 species of sketchbirds, defined by a field guide in the language of the data set."""

from __future__ import annotations

import dataclasses
import functools
from types import MappingProxyType

from interpnet_tf.data.sketchbirds.lexicon import parse_facts

# What the field guide leaves open varies from bird to bird, among these values.
VARYING = MappingProxyType(
    {
        "place": ("branch", "ground", "water", "air"),
        "cheek": ("no", "red", "yellow", "blue"),
        "belly": ("white", "yellow", "red"),
    }
)

# A species described as "like" another is its twin: it differs in the one attribute named.
_FIELD_GUIDE = """
Alder Tolwit: a small bird with a short orange bill, a red crown, a plain yellow breast, a white belly, \
green wings, no wing bars, a short green tail, no eye ring, and black legs
Heath Tolwit: like Alder Tolwit, with a black crown

River Quillet: a large bird with a long black bill, a blue crown, a plain white breast, \
grey wings, white wing bars, a short black tail, no eye ring, and orange legs
Moor Quillet: like River Quillet, with a hooked bill

Coastal Fennick: a small bird with a short black bill, a black crown, a spotted white breast, a white belly, \
brown wings, white wing bars, a long brown tail, no eye ring, and pink legs
Inland Fennick: like Coastal Fennick, with a plain breast

Northern Harrowet: a large bird with a hooked yellow bill, a white crown, a plain purple breast, \
black wings, no wing bars, a forked black tail, white eye ring, and yellow legs
Southern Harrowet: like Northern Harrowet, with white wing bars

Island Lintle: a small bird with a long orange bill, a green crown, a plain orange breast, a yellow belly, \
blue wings, no wing bars, a short blue tail, no eye ring, and grey legs
Mainland Lintle: like Island Lintle, with a pink breast

Marsh Dawlin: a large bird with a short yellow bill, a brown crown, a streaked white breast, \
brown wings, no wing bars, a long brown tail, no eye ring, and orange legs
Meadow Dawlin: like Marsh Dawlin, with a forked tail

Eastern Murrel: a large bird with a long red bill, a black crown, a plain blue breast, a white belly, \
purple wings, white wing bars, a long black tail, no eye ring, and red legs
Western Murrel: like Eastern Murrel, with a yellow bill

Upland Pimmel: a small bird with a short black bill, an orange crown, a plain green breast, \
blue wings, white wing bars, a short black tail, no eye ring, and grey legs
Lowland Pimmel: like Upland Pimmel, with a white eye ring

Hermit Zephlin: a small bird with a hooked black bill, a purple crown, a plain pink breast, a white belly, \
white wings, no wing bars, a long purple tail, white eye ring, and black legs

Mountain Nimmet: a large bird with a hooked orange bill, a green crown, a plain grey breast, \
white wings, no wing bars, a forked grey tail, no eye ring, and orange legs

Garden Grellow: a small bird with a short red bill, a brown crown, a streaked yellow breast, \
a yellow belly, black wings, white wing bars, a forked yellow tail, no eye ring, and red legs

Forest Sorrelin: a large bird with a long yellow bill, a red crown, a plain black breast, \
red wings, white wing bars, a long red tail, white eye ring, and yellow legs

Prairie Kestwin: a small bird with a long grey bill, a pink crown, a spotted yellow breast, a white belly, \
purple wings, no wing bars, a forked purple tail, no eye ring, and pink legs

Harbour Corvane: a large bird with a hooked red bill, a black crown, a plain white breast, \
black wings, white wing bars, a short white tail, no eye ring, and red legs

Valley Brennet: a small bird with a short grey bill, a blue crown, a spotted orange breast, a white belly, \
orange wings, white wing bars, a long blue tail, no eye ring, and black legs

Orchard Tamarel: a large bird with a short orange bill, a yellow crown, a plain red breast, \
green wings, no wing bars, a long yellow tail, white eye ring, and grey legs
"""


@dataclasses.dataclass(frozen=True)
class Species:
    """A kind of bird.

    Args:
        name: of the species.
        attributes: the attributes that all its birds share, by name.
        twin: name of the species that differs from this one in a single attribute, or `None`.
        distinguishing: the attribute in which the two differ, or `None`.
    """

    name: str
    attributes: MappingProxyType[str, str]
    twin: str | None = None
    distinguishing: str | None = None

    @functools.cached_property
    def varying(self) -> dict[str, tuple[str, ...]]:
        """The attributes that vary from bird to bird, with the values that they may take.

        A cheek in the colour of the breast is left out, for it would not show on the face.
        """
        return {
            attribute: tuple(v for v in values if attribute != "cheek" or v != self.attributes["breast"])
            for attribute, values in VARYING.items()
            if attribute not in self.attributes
        }


def _read(guide: str) -> dict[str, Species]:
    species: dict[str, Species] = {}
    for entry in filter(None, guide.splitlines()):
        name, description = entry.split(": ")
        attributes = dict(sorted(parse_facts(description)))
        if not description.startswith("like "):
            species[name] = Species(name, MappingProxyType(attributes))
            continue
        twin = description.removeprefix("like ").split(",")[0]
        (distinguishing,) = attributes
        merged = MappingProxyType({**species[twin].attributes, **attributes})
        species[name] = Species(name, merged, twin, distinguishing)
        species[twin] = dataclasses.replace(species[twin], twin=name, distinguishing=distinguishing)
    return species


SPECIES = MappingProxyType(_read(_FIELD_GUIDE))
NAMES = tuple(SPECIES)
