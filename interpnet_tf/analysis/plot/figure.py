"""Figures that no global state of matplotlib knows of."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> Figure:
    """Returns an empty figure of so many inches, drawn without a display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def open_sides(axes: Axes) -> Axes:
    """Removes the lines above and to the right of what is drawn."""
    axes.spines[["top", "right"]].set_visible(False)
    return axes
