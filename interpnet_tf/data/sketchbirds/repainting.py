"""`repaint`: a picture of the data set again, with other attributes of its bird and all else as it was."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from interpnet_tf.data.sketchbirds.marks import check_marks
from interpnet_tf.data.sketchbirds.sketch import Sketch, check_split
from interpnet_tf.data.sketchbirds.species import NAMES, SPECIES, VARYING


def _values() -> dict[str, tuple[str, ...]]:
    values = {name: set(varying) for name, varying in VARYING.items() if name != "place"}
    for species in SPECIES.values():
        for name, value in species.attributes.items():
            values.setdefault(name, set()).add(value)
    return {name: tuple(sorted(values[name])) for name in sorted(values)}


# The attributes that can be repainted, and the values that they have somewhere in the data set.
VALUES = _values()


def repaint(
    index: int,
    attributes: Mapping[str, str],
    split: str = "test",
    seed: int = 0,
    per_species: int | None = None,
    image_size: int = 64,
    shortcut: float = 0.0,
    mark: str | None = None,
) -> np.ndarray:
    """Draws a picture of the data set again, with other attributes of its bird.

    It is the picture that the data set would hold had the bird these attributes: everything random is as it
    was, the scene, the light, the grain, where the bird perches and how it is tilted. What follows from an
    attribute follows: a bird of another size is larger all over; one with another bill or tail shape is
    moved by up to three pixels, for birds stand with bill and tail in the middle of the frame. A part that
    is hidden stays hidden, so that repainting it changes nothing. Where the bird is (`"place"`) is not to
    be repainted: pose, scenery and hidden parts all depend on it, so that another picture would come of it.

    Args:
        index: of the example in `load(split, seed, per_species)`.
        attributes: attributes of the bird and their new values; `VALUES` lists both. With none, the picture
            is that of `load`.
        split, seed, per_species, image_size, shortcut, mark: as of `load`.

    Returns:
        A uint8 array `(image_size, image_size, 3)`.

    Raises:
        ValueError: if there is no such example, attribute or value, or an argument of `load` is out of its
            range.

    Example:

    >>> picture, repainted = repaint(0, {}), repaint(0, {"crown": "blue"})
    >>> changed = (picture != repainted).any(axis=-1)
    >>> bool(changed.any()), bool(changed.mean() < 0.05)
    (True, True)
    """
    per_species = check_split(split, seed, per_species, image_size)
    check_marks(shortcut, mark)
    count = per_species * len(NAMES)
    if isinstance(index, bool) or not isinstance(index, int | np.integer) or not 0 <= index < count:
        raise ValueError(f"index must be that of an example, from 0 to {count - 1}, got {index!r}")
    check_attributes(attributes)
    label, number = divmod(int(index), per_species)
    return Sketch(split, seed, NAMES[label], number, shortcut, mark).draw(image_size, attributes)


def check_attributes(attributes: Mapping[str, str]) -> None:
    """Raises a `ValueError` that names what is possible unless `attributes` can be repainted."""
    if not isinstance(attributes, Mapping):
        raise ValueError(
            f"attributes must be a dict such as {{'crown': 'blue'}}, got {type(attributes).__name__}"
        )
    for name, value in attributes.items():
        if name == "place":
            raise ValueError(
                "attributes cannot repaint 'place': pose, scenery and hidden parts depend on it, so that it "
                "would be another picture; draw one with sketchbirds.draw"
            )
        if name not in VALUES:
            raise ValueError(f"attributes must be among {', '.join(VALUES)}, got {name!r}")
        if value not in VALUES[name]:
            raise ValueError(f"attributes: {name!r} must be one of {', '.join(VALUES[name])}, got {value!r}")
