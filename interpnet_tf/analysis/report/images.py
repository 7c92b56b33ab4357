"""Pictures as data that stand within a page."""

from __future__ import annotations

import base64
import html
import io
import re
from typing import Any

import numpy as np
from PIL import Image

_SIDE = 192  # pixels: large enough to see a bird, a few kilobytes as a JPEG
_OPACITY = 0.6
_HEIGHTS, _WIDTHS = ("upper", "middle", "lower"), ("left", "centre", "right")


def as_picture(pixels: Any) -> Image.Image:
    """Returns an array of pixels, or a picture, as RGB.

    Args:
        pixels: a `PIL` image; or `(height, width, 1 or 3)`, integers 0..255 or floats 0..1 or 0..255.
    """
    if isinstance(pixels, Image.Image):
        return pixels.convert("RGB")
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8:
        pixels = np.clip(pixels * (255 if pixels.max(initial=0) <= 1 else 1), 0, 255).astype("uint8")
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")


def thumbnail(picture: Image.Image) -> str:
    """Returns a picture as the `src` of an image: a JPEG whose long side has 192 pixels."""
    scale = _SIDE / max(picture.size)
    size = tuple(max(1, round(scale * side)) for side in picture.size)
    file = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=85, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def heat_over(picture: Image.Image, heat: np.ndarray) -> Image.Image:
    """Returns a picture in grey with a heat map over it: orange where it is positive, violet where negative.

    Args:
        picture: of any size.
        heat: `(rows, columns)`, stretched over the picture.
    """
    from matplotlib import colormaps

    size = (_SIDE, round(_SIDE * picture.height / picture.width))
    greatest = float(np.abs(heat).max()) or 1.0
    field = Image.fromarray(heat.astype("float32")).resize(size, Image.Resampling.BICUBIC)
    strengths = np.clip(np.asarray(field) / greatest, -1, 1)
    colors = Image.fromarray(colormaps["PuOr_r"](0.5 + strengths / 2, bytes=True)[..., :3])
    return Image.blend(picture.convert("L").convert("RGB").resize(size), colors, _OPACITY)


def centre_of(heat: np.ndarray) -> str:
    """Says in words in which ninth of a map the centre of its positive part lies.

    Example:

    >>> centre_of(np.array([[0, 2.0], [-1, 0]]))
    'upper right'
    """
    weights = np.maximum(heat, 0)
    if not weights.sum():
        return "nowhere"
    rows, columns = ((np.arange(length) + 0.5) / length for length in heat.shape)
    row = float(weights.sum(axis=1) @ rows / weights.sum())
    column = float(weights.sum(axis=0) @ columns / weights.sum())
    return f"{_HEIGHTS[min(2, int(3 * row))]} {_WIDTHS[min(2, int(3 * column))]}"


def as_svg(figure: Any, name: str, description: str) -> str:
    """Returns a figure as SVG to stand within a page, in the colour and the font of its text.

    Args:
        figure: of matplotlib.
        name: what the ids in it begin with, so that those of several figures differ.
        description: for those who do not see it.
    """
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|; font-family: [^;]*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' width="[\d.]+pt"| height="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("#000000", "currentColor")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(description)}" ', 1)
