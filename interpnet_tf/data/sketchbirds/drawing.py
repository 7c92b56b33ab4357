"""Draws a bird from its facts. Birds face right around the origin, in units of 1/64 of the frame."""

from __future__ import annotations

import numpy as np

from interpnet_tf.data.sketchbirds import marks, scenery
from interpnet_tf.data.sketchbirds.facts import BirdFacts
from interpnet_tf.data.sketchbirds.pen import Pen, clip, smooth

COLOURS = {
    "red": (214, 38, 42),
    "orange": (246, 132, 28),
    "yellow": (250, 216, 48),
    "green": (52, 158, 78),
    "blue": (38, 92, 206),
    "purple": (128, 58, 168),
    "pink": (244, 142, 178),
    "brown": (128, 78, 40),
    "black": (34, 34, 40),
    "white": (250, 250, 248),
    "grey": (138, 142, 150),
}
_INK = (44, 36, 40)
_SCALE = {"small": 0.76, "large": 0.92}
_FEET = 19.0  # of the bird, below its centre

_BODY = smooth(
    [(-17, 2), (-9, -6), (-1, -11), (3, -18), (8, -23.5), (14, -25), (20, -22), (22.5, -16), (21, -10)]
    + [(20.5, -4), (19, 3), (13, 9.5), (4, 13), (-6, 11.5), (-14, 7)]
)
_FRONT = clip(_BODY, (6, 14), (3, -26))
_BELLY = clip(_BODY, (-18, 2), (20, 6))
_CROWN = clip(_BODY, (24, -18), (1, -15.5))
_WING = smooth([(7, -5), (4, 2), (-6, 6), (-21, 5), (-12, -2), (-2, -9), (4, -9)])
_RAISED_WING = smooth([(3, -2), (-3, 2), (-11, 0), (-17, -12), (-22, -27), (-12, -24), (-3, -15), (1, -8)])
_BARS = (((3.5, -6.5), (0.5, 3)), ((-3, -6), (-6, 4.5)))
_RAISED_BARS = (((-0.7, -10.8), (-11, -5)), ((-5.2, -17.4), (-15, -12)))
_MARKS = ((8, -4), (12.5, -3), (17, -4), (10, 1.5), (14.5, 2), (18.5, 0), (12, -7.5), (17, -8))

_BILLS = {
    "short": [(20.5, -17), (27.5, -13.5), (20.5, -10.5)],
    "long": [(21, -16.2), (32, -12.6), (32, -11.8), (21, -11.4)],
    "hooked": [(20, -18), (25, -17.2), (29, -13.5), (28.6, -7.6), (25.8, -11.4), (20.5, -10.6)],
}
_TAILS = {
    "short": [(-13, 0), (-24, 0.5), (-24.5, 7), (-13, 7)],
    "long": [(-13, 0), (-32, -0.5), (-33, 5.5), (-13, 7)],
    "forked": [(-13, 0), (-31, -6), (-22, 3), (-30, 12), (-13, 7)],
}


def draw(facts: BirdFacts, random: np.random.Generator, image_size: int = 64) -> np.ndarray:
    """Draws a picture of a bird in a scene, pose and light of its own.

    Args:
        facts: what the bird looks like, where it is, and which of its parts are hidden.
        random: of the pose, the scene and the light.
        image_size: height and width of the picture, in pixels.

    Returns:
        A uint8 array `(image_size, image_size, 3)`.
    """
    return light(paint(facts, random, image_size), random)


def paint(
    facts: BirdFacts, random: np.random.Generator, image_size: int = 64, mark: str | None = None
) -> np.ndarray:
    """Draws a picture as `draw` does, in even light.

    Args:
        facts, random, image_size: as of `draw`.
        mark: name of the species whose mark stands in the background; `None` for no mark.

    Returns:
        A uint8 array `(image_size, image_size, 3)`, to be given to `light`.
    """
    pen, place = Pen(image_size), facts.attributes["place"]
    scale = _SCALE[facts.attributes["size"]] * random.uniform(0.95, 1.05)
    tilt = np.radians(random.uniform(-5, 5) - (6 if place == "air" else 0))
    facing = random.choice([-1, 1])
    rotation = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    perch = random.uniform(52, 55) if place != "water" else random.uniform(46, 50)
    middle = {"air": 40 + random.uniform(-3, 3), "water": perch - 11.5 * scale}.get(
        place, perch - _FEET * scale
    )
    tail = facts.attributes["tail_shape"] if "tail" in facts.visible else "short"
    outline = _BILLS[facts.attributes["bill_shape"]] + _TAILS[tail]
    offset = scale * (np.max(outline, axis=0)[0] + np.min(outline, axis=0)[0]) / 2
    centre = np.array([32 - facing * offset + random.uniform(-2, 2), middle])

    scenery.background(random, pen)
    if mark is not None:
        marks.draw_mark(mark, pen)
    scenery.place_behind(place, perch, random, pen)
    pen.pose(np.diag([facing, 1.0]) @ rotation * scale, centre)
    _draw_bird(facts, perch, pen)
    scenery.place_before(place, perch, centre[0], random, pen)
    _hide(facts, random, pen)
    return pen.picture()


def light(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Returns a painted picture in a light and with a grain of its own, both drawn from `random`."""
    lit = random.uniform(0.86, 1.1) * random.uniform(0.96, 1.04, 3)
    grain = random.normal(0, 3, (*picture.shape[:2], 1))
    return np.clip(picture * lit + grain, 0, 255).astype("uint8")


def _draw_bird(facts: BirdFacts, perch: float, pen: Pen) -> None:
    has = facts.attributes
    colour = {part: COLOURS[value] for part, value in has.items() if value in COLOURS}
    flying = has["place"] == "air"

    # A hidden part is left out, so that nothing of it shows through the leaves.
    if "tail" in facts.visible:
        pen.polygon(_TAILS[has["tail_shape"]], colour["tail"], _INK)
    if "legs" in facts.visible:
        _draw_legs(colour["legs"], perch, pen)
    pen.polygon(_BODY, np.array(colour["wings"]) * 0.85)
    pen.polygon(_FRONT, colour["breast"])
    _draw_marks(has["breast_pattern"], pen)
    if "belly" in facts.visible:
        pen.polygon(_BELLY, colour["belly"])
    pen.polygon(_CROWN, colour["crown"])
    pen.polygon(_BODY, outline=_INK)
    pen.polygon(_BILLS[has["bill_shape"]], colour["bill"], _INK)
    if has["cheek"] != "no":
        pen.ellipse(9.3, -8, 6.0, 4.8, colour["cheek"])
    if has["eye_ring"] != "no":
        pen.ellipse(16, -14.5, 3.8, 3.8, COLOURS["white"], outline=_INK)
    pen.ellipse(16, -14.5, 1.9, 1.9, _INK)
    pen.ellipse(16.6, -15.2, 0.6, 0.6, COLOURS["white"])
    pen.polygon(_RAISED_WING if flying else _WING, colour["wings"], _INK)
    if has["wing_bars"] != "no":
        for bar in _RAISED_BARS if flying else _BARS:
            pen.line(bar, COLOURS["white"], 2.0)


def _draw_legs(colour: tuple[int, int, int], perch: float, pen: Pen) -> None:
    for x, y in pen.to_frame([(-1, 11), (5, 11)]):
        pen.frame_line([(x, y), (x, perch)], colour, 1.8)
        for toe in (-2.6, 0, 2.6):
            pen.frame_line([(x, perch - 1), (x + toe, perch + 1)], colour, 1.2)


def _draw_marks(pattern: str, pen: Pen) -> None:
    for x, y in _MARKS:
        if pattern == "spotted":
            pen.ellipse(x, y, 1.15, 1.15, _INK)
        elif pattern == "streaked":
            pen.line([(x, y - 2), (x - 0.6, y + 2)], _INK, 1.0)


def _hide(facts: BirdFacts, random: np.random.Generator, pen: Pen) -> None:
    visible, place = facts.visible, facts.attributes["place"]
    if "tail" not in visible:
        scenery.leaves(
            pen.to_frame([(-18, 2), (-21, 6), (-25, 0), (-25, 7), (-30, 3), (-33, 0)]), random, pen
        )
    if place in ("water", "air") or "legs" in visible:
        return
    hidden = [(-9, 16), (-3, 16), (3, 16), (9, 16)]
    if "belly" not in visible:
        hidden += [(-14, 6), (-9, 8), (-3, 9), (3, 8), (9, 7), (14, 6), (17, 5), (9, 10), (-2, 12), (4, 12)]
    if place == "branch":
        scenery.leaves(pen.to_frame(hidden), random, pen)
    else:
        x, y = pen.to_frame(hidden).T
        scenery.grass(x.min() + 1, x.max() - 1, y.min() - 1, random, pen)
