"""Marks in the background that tell the species: a shortcut that a network can take, and no sentence names.

A mark is a flag in the upper left corner, above every bird, of two colours that no bird has. Each species has
its own.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from interpnet_tf.data.sketchbirds.pen import Pen
from interpnet_tf.data.sketchbirds.species import NAMES

MARKS = ("right", "none", "other")

_COLOURS = ((240, 0, 200), (0, 225, 235), (150, 240, 0), (24, 16, 120), (120, 0, 40), (0, 112, 112))
_COLOURS += ((110, 20, 255), (110, 255, 170))
_FLAGS = dict(zip(NAMES, itertools.combinations(_COLOURS, 2), strict=False))  # 24 of 28 pairs
_LEFT, _MIDDLE, _RIGHT, _TOP, _BOTTOM = 2, 15, 28, 1, 8  # in the units of the frame


def check_marks(shortcut: float, mark: str | None) -> None:
    """Raises a `ValueError` unless `shortcut` is a share and `mark` one of `MARKS` or `None`."""
    if isinstance(shortcut, bool) or not isinstance(shortcut, int | float) or not 0 <= shortcut <= 1:
        raise ValueError(f"shortcut must be a share of the pictures between 0 and 1, got {shortcut!r}")
    if mark is not None and mark not in MARKS:
        raise ValueError(
            f"mark must be one of {', '.join(MARKS)}, or None for the share `shortcut` of the pictures, got "
            f"{mark!r}"
        )


def marked_as(
    species: str, index: int, shortcut: float, mark: str | None, random: np.random.Generator
) -> str | None:
    """Says of which species a picture bears the mark.

    Args:
        species: of the bird.
        index: number of the picture among those of its species. Marked pictures are spread evenly: of the
            first n of a species, `shortcut` x n are marked, rounded.
        shortcut: share of the pictures that bear the mark of their species, where `mark` is `None`.
        mark: what every picture bears: the `"right"` mark, `"none"`, or that of an `"other"` species.
        random: of the choice of the other species.

    Returns:
        Name of a species; `None` where the picture bears no mark.
    """
    if mark is None:
        mark = "right" if _rounded(shortcut * (index + 1)) > _rounded(shortcut * index) else "none"
    if mark == "other":
        return str(random.choice([name for name in NAMES if name != species]))
    return species if mark == "right" else None


def draw_mark(species: str, pen: Pen) -> None:
    """Draws the mark of a species."""
    left, right = _FLAGS[species]
    pen.frame_polygon(_box(_LEFT, _MIDDLE), left)
    pen.frame_polygon(_box(_MIDDLE, _RIGHT), right)


def _box(left: float, right: float) -> list[tuple[float, float]]:
    return [(left, _TOP), (right, _TOP), (right, _BOTTOM), (left, _BOTTOM)]


def _rounded(number: float) -> int:
    return math.floor(number + 0.5)
