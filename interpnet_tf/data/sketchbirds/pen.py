"""`Pen`: draws shapes given in the coordinates of a bird or of the frame."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image, ImageDraw

_SUPERSAMPLING = 4
FRAME = 64.0  # side of the frame, in frame units


class Pen:
    """Draws on a canvas several times finer than the picture it gives.

    Args:
        image_size: height and width of the picture, in pixels.
    """

    def __init__(self, image_size: int) -> None:
        side = image_size * _SUPERSAMPLING
        self._image_size = image_size
        self._canvas = Image.new("RGB", (side, side))
        self._draw = ImageDraw.Draw(self._canvas)
        self._unit = side / FRAME
        self.pose(np.eye(2), np.zeros(2))

    def pose(self, matrix: np.ndarray, centre: np.ndarray) -> None:
        """Sets where the bird is: its point p lies at `matrix @ p + centre` in the frame."""
        self._matrix, self._centre = np.asarray(matrix), np.asarray(centre)
        self._scale = abs(np.linalg.det(self._matrix)) ** 0.5

    def to_frame(self, points) -> np.ndarray:
        """Returns points of the bird `(points, 2)` in the units of the frame."""
        return np.asarray(points, dtype="float64") @ self._matrix.T + self._centre

    def polygon(self, points, colour=None, outline=None, width: float = 0.8) -> None:
        """Fills a shape of the bird, and draws around it, each where its colour is given."""
        points = self.to_frame(points)
        if colour is not None:
            self.frame_polygon(points, colour)
        if outline is not None:
            self.frame_line([*points, points[0]], outline, width * self._scale)

    def line(self, points, colour, width: float) -> None:
        """Draws a line on the bird, with round ends."""
        self.frame_line(self.to_frame(points), colour, width * self._scale)
        if width > 1:
            for x, y in self.to_frame([points[0], points[-1]]):
                self.frame_ellipse(x, y, width * self._scale / 2, width * self._scale / 2, colour)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour, *, outline=None) -> None:
        """Fills an ellipse on the bird, and draws around it where `outline` is a colour."""
        self.polygon(_circle() * (rx, ry) + (x, y), colour, outline)

    def frame_polygon(self, points, colour) -> None:
        """Fills a shape given in the units of the frame."""
        self._draw.polygon(self._pixels(points), fill=_rgb(colour))

    def frame_line(self, points, colour, width: float) -> None:
        """Draws a line given in the units of the frame."""
        self._draw.line(self._pixels(points), fill=_rgb(colour), width=max(1, round(width * self._unit)))

    def frame_ellipse(self, x: float, y: float, rx: float, ry: float, colour) -> None:
        """Fills an ellipse given in the units of the frame."""
        box = self._pixels([(x - rx, y - ry), (x + rx, y + ry)])
        self._draw.ellipse(box, fill=_rgb(colour))

    def picture(self) -> np.ndarray:
        """Returns the drawing as a uint8 array `(image_size, image_size, 3)`."""
        return np.asarray(self._canvas.reduce(_SUPERSAMPLING))

    def _pixels(self, points) -> list[float]:
        return (np.asarray(points, dtype="float64") * self._unit).ravel().tolist()


def smooth(points, samples: int = 6) -> np.ndarray:
    """Returns a closed smooth curve through `points`: a Catmull-Rom spline."""
    p1 = np.asarray(points, dtype="float64")
    p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
    t = np.linspace(0, 1, samples, endpoint=False)[:, None, None]
    curve = 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def clip(outline: np.ndarray, start, end) -> np.ndarray:
    """Returns the part of a closed `outline` on the right of the line from `start` to `end`.

    Right is as seen on the page, where y grows downwards.
    """
    start, end = np.asarray(start, "float64"), np.asarray(end, "float64")
    normal = np.array([start[1] - end[1], end[0] - start[0]])
    side = (outline - start) @ normal
    kept = []
    for i, point in enumerate(outline):
        if side[i] * side[i - 1] < 0:
            kept.append(point + (outline[i - 1] - point) * side[i] / (side[i] - side[i - 1]))
        if side[i] >= 0:
            kept.append(point)
    return np.array(kept)


@functools.cache
def _circle() -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _rgb(colour) -> tuple[int, int, int]:
    red, green, blue = (min(255, max(0, int(channel))) for channel in colour)
    return red, green, blue
