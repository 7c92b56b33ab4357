"""Pictures beside their explanations, in one figure."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.support.atomic import replacing


def save_figure(
    path: str | os.PathLike,
    images: np.ndarray,
    explanations: Sequence[Explanation],
    true_labels: Sequence[str] | None = None,
    columns: int = 2,
) -> None:
    """Draws each picture with its class and its explanation beside it, and writes a PNG.

    Args:
        path: of the PNG, which appears complete or not at all.
        images: uint8 `(examples, height, width, 3)`.
        explanations: one a picture.
        true_labels: the names of the true classes; a wrong classification is marked.
        columns: pictures a row.

    Example:

    ```python
    save_figure("birds.png", images[:8], model.explain(images[:8]))
    ```
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not len(images) == len(explanations) > 0:
        raise ValueError(f"there are {len(images)} images and {len(explanations)} explanations")
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(5.6 * columns, 1.75 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 2 * columns, width_ratios=[1, 2.1] * columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for index, (image, explanation) in enumerate(zip(images, explanations, strict=True)):
        axes[2 * index].imshow(image, interpolation="lanczos")
        wrong = true_labels is not None and true_labels[index] != explanation.label
        _write(axes[2 * index + 1], explanation, f"(it is {true_labels[index]})" if wrong else "")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")


def _write(axis: Any, explanation: Explanation, remark: str) -> None:
    title = f"{explanation.label}, {100 * explanation.probability:.0f} % {remark}".strip()
    axis.text(0, 0.92, title, weight="bold", va="top", fontsize=10, color="#a02020" if remark else "#202020")
    axis.text(0, 0.72, textwrap.fill(explanation.text, 38), va="top", fontsize=10)
