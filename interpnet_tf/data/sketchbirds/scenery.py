"""What stands behind, below and before a bird: backgrounds, places to sit, water, leaves and grass."""

from __future__ import annotations

import numpy as np

from interpnet_tf.data.sketchbirds.pen import Pen

# Paler than any plumage, so that the bird stands out: (top, bottom).
_BACKGROUNDS = {
    "sky": ((168, 205, 236), (222, 236, 243)),
    "leaves": ((150, 186, 140), (190, 212, 168)),
    "sand": ((238, 222, 186), (224, 200, 156)),
    "dusk": ((196, 186, 216), (244, 214, 196)),
}
_BARK, _BARK_SHADE = (112, 84, 62), (84, 62, 46)
_EARTH = ((176, 150, 108), (148, 162, 96), (196, 178, 140))
_WATER, _RIPPLE = (96, 150, 186), (168, 206, 224)
_LEAF = ((88, 132, 72), (106, 150, 82), (74, 114, 66))
_GRASS = np.array([(112, 142, 62), (88, 120, 54), (138, 164, 84)])


def _pick(random: np.random.Generator, choices):
    return choices[random.integers(len(choices))]


def background(random: np.random.Generator, pen: Pen) -> None:
    """Fills the frame with a graded colour and blurred things far away."""
    kind = _pick(random, tuple(_BACKGROUNDS))
    top, bottom = (np.array(colour) for colour in _BACKGROUNDS[kind])
    for i in range(16):
        pen.frame_polygon(
            [(0, 4 * i), (64, 4 * i), (64, 4 * i + 4), (0, 4 * i + 4)], top + (bottom - top) * (i / 15)
        )
    for _ in range(random.integers(3, 8)):
        x, y, radius = random.uniform((0, 0, 3), (64, 46, 9))
        here = top + (bottom - top) * (y / 64)
        if kind == "leaves":
            pen.frame_ellipse(x, y, radius, radius * 0.6, here * random.uniform(0.85, 1.08))
        elif kind == "sand":
            pen.frame_ellipse(x, y, radius * 1.5, radius * 0.3, here * 0.95)
        else:
            pen.frame_ellipse(x, y, radius * 1.3, radius * 0.45, here + (255 - here) * 0.5)


def place_behind(place: str, perch: float, random: np.random.Generator, pen: Pen) -> None:
    """Draws what the bird sits on; `perch` is the height of its feet in the frame."""
    if place == "branch":
        slope, thickness = random.uniform(-2, 2), random.uniform(2.2, 3.0)
        upper = [(-2, perch - slope), (66, perch + slope)]
        pen.frame_polygon(
            [*upper, (66, perch + slope + thickness * 1.8), (-2, perch - slope + thickness * 2.2)], _BARK
        )
        low = [(x, y + thickness * 1.4) for x, y in upper]
        pen.frame_line(low, _BARK_SHADE, 0.7)
        for _ in range(3):
            x = random.uniform(2, 62)
            _leaf(x, perch + thickness + random.uniform(2, 5), random, pen)
    elif place == "ground":
        colour = np.array(_pick(random, _EARTH))
        pen.frame_polygon([(0, perch - 4), (30, perch - 5), (64, perch - 4), (64, 65), (0, 65)], colour)
        for _ in range(10):
            x, y = random.uniform((0, perch - 2), (64, 64))
            pen.frame_ellipse(x, y, 1.6, 0.7, colour * random.uniform(0.8, 1.15))
    elif place == "water":
        pen.frame_polygon([(0, perch - 8), (64, perch - 8), (64, 65), (0, 65)], np.array(_WATER) * 1.08)


def place_before(place: str, perch: float, centre: float, random: np.random.Generator, pen: Pen) -> None:
    """Draws the water in front of a swimming bird, whose waterline is `perch`."""
    if place != "water":
        return
    pen.frame_polygon([(0, perch + 1), (20, perch), (44, perch), (64, perch + 1), (64, 65), (0, 65)], _WATER)
    pen.frame_line([(centre - 17, perch + 0.3), (centre + 17, perch + 0.3)], _RIPPLE, 1.1)
    for _ in range(6):
        x, y = random.uniform((0, perch + 2.5), (60, 63))
        pen.frame_line([(x, y), (x + random.uniform(4, 10), y)], _RIPPLE, 0.7)


def leaves(points: np.ndarray, random: np.random.Generator, pen: Pen) -> None:
    """Hides the given points of the frame `(points, 2)` behind leaves."""
    for x, y in points:
        for _ in range(3):
            _leaf(x + random.uniform(-1.5, 1.5), y + random.uniform(-1.5, 1.5), random, pen, 4.2)


def grass(left: float, right: float, top: float, random: np.random.Generator, pen: Pen) -> None:
    """Hides the frame below `top` from `left` to `right` behind grass, lower on either side."""
    for x in random.permutation(np.arange(left - 8, right + 8, 0.8)):
        outside = max(left - x, x - right, 0)
        lean, height = random.uniform((-2.5, -3.5), (2.5, 0.0))
        shoulder = min(top + 2.5 + 2.4 * outside, 61)
        tip = (x + lean, shoulder - 2.5 + height)
        blade = [(x - 1.4, 65), (x - 1.0, shoulder), tip, (x + 1.0, shoulder), (x + 1.4, 65)]
        pen.frame_polygon(blade, _pick(random, _GRASS) * random.uniform(0.85, 1.15))


def _leaf(x: float, y: float, random: np.random.Generator, pen: Pen, length: float = 3.2) -> None:
    angle = random.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)]) * length
    across = np.array([-along[1], along[0]]) * 0.55
    middle = np.array([x, y])
    outline = [-along, -along * 0.3 + across, along * 0.4 + across * 0.8, along]
    outline += [along * 0.4 - across * 0.8, -along * 0.3 - across]
    pen.frame_polygon([middle + p for p in outline], _pick(random, _LEAF))
    pen.frame_line([middle - along, middle + along], (64, 98, 56), 0.4)
