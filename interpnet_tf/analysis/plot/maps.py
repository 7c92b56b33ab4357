"""Heat maps over the picture that they are of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from interpnet_tf.analysis.plot.figure import new_figure
from interpnet_tf.attribution import Attribution, DecisionAttribution

_COLORS = "PuOr_r"  # orange and violet differ for people of every kind of colour vision


def heat_maps(
    image: np.ndarray,
    attribution: Attribution | DecisionAttribution,
    words: Sequence[int | str] | None = None,
    layer: str | int | None = None,
    columns: int = 4,
) -> Figure:
    """Draws a picture, and where in it the contributions to words, or to the class, lie.

    Args:
        image: uint8 `(height, width, 3)`, or floats 0..1.
        attribution: of what was said of it, or of the class, with heat maps.
        words: of which to draw maps, by number or as text; `None` is all. Not for a class.
        layer: whose map; `None` is the one among those with a map that contributed most to the word.
        columns: panels in a row.

    Returns:
        The figure: the picture, then a panel for each word. Orange positions make the word more probable,
        violet ones less; the colours of all panels mean the same.

    Raises:
        ValueError: if there is no map, or the layer's is of a sequence.

    Example:

    ```python
    said = model.attribute(images[:1])[0]  # of a model whose r(x) holds maps
    heat_maps(images[0], said, words=["red", "bill"]).savefig("where.png")
    ```
    """
    if isinstance(attribution, DecisionAttribution):
        if words is not None:
            raise ValueError(f"words must be None for the attribution of a class, got {words!r}")
        panels = {attribution.label: attribution.heat_map(layer)}
        titles, maps = list(panels), list(panels.values())
    else:
        chosen = range(len(attribution.words)) if words is None else words
        titles = [attribution.words[word] if isinstance(word, int) else word for word in chosen]
        maps = [attribution.heat_map(word, layer) for word in chosen]
    if any(of_one.ndim != 2 for of_one in maps):
        raise ValueError("layer must come from maps (height, width), got one that comes from a sequence")
    columns = min(columns, 1 + len(maps))
    rows = -(-(1 + len(maps)) // columns)
    figure = new_figure(1.9 * columns + 0.7, 2.1 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    axes[0].imshow(image, interpolation="lanczos")
    greatest = max((float(np.abs(of_one).max()) for of_one in maps), default=0) or 1.0
    for axis, title, of_one in zip(axes[1:], titles, maps, strict=False):
        shown = draw_heat_map(axis, image, of_one, greatest)
        axis.set_title(title, fontsize=10)
    if maps:
        figure.colorbar(shown, ax=list(axes), shrink=0.8, label="nats")
    return figure


def draw_heat_map(axis, image: np.ndarray, heat: np.ndarray, greatest: float):
    """Draws a picture in grey and a map over it, and returns the image of the map.

    Args:
        axis: to draw on.
        image: `(height, width, 3)`.
        heat: `(rows, columns)`, stretched over the picture.
        greatest: the absolute value that the strongest colour stands for.
    """
    height, width = image.shape[:2]
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axis.imshow(np.asarray(image, "float32").mean(axis=-1), cmap="gray", interpolation="lanczos")
    limits = {"vmin": -greatest, "vmax": greatest, "cmap": _COLORS}
    return axis.imshow(heat, extent=extent, interpolation="bilinear", alpha=0.6, **limits)
