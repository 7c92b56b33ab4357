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
    reasons: Sequence[str] | None = None,
    columns: int = 2,
) -> None:
    """Draws each picture with its class and its explanation beside it, and writes a PNG.

    Args:
        path: of the PNG, which appears complete or not at all.
        images: uint8 `(examples, height, width, 3)`.
        explanations: one a picture.
        true_labels: the names of the true classes; a wrong classification is marked.
        reasons: for each picture a short second line, such as what carried the decision.
        columns: pictures a row.

    Raises:
        ValueError: if there is not one of each for every picture, or there are no pictures.

    Example:

    ```python
    save_figure("birds.png", images[:8], model.explain(images[:8]))
    ```
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    given = {"explanations": explanations, "true_labels": true_labels, "reasons": reasons}
    lengths = {"images": len(images)} | {name: len(part) for name, part in given.items() if part is not None}
    if len(set(lengths.values())) > 1 or not len(images):
        raise ValueError(f"there must be one entry for each picture, and a picture at least, got {lengths}")
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(5.6 * columns, 1.75 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 2 * columns, width_ratios=[1, 2.1] * columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for index, (image, explanation) in enumerate(zip(images, explanations, strict=True)):
        axes[2 * index].imshow(image, interpolation="lanczos")
        wrong = true_labels is not None and true_labels[index] != explanation.label
        remark = f"(it is {true_labels[index]})" if wrong else ""
        _write(axes[2 * index + 1], explanation, remark, reasons[index] if reasons is not None else "")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")


def _write(axis: Any, explanation: Explanation, remark: str, reason: str) -> None:
    title = f"{explanation.label}, {100 * explanation.probability:.0f} % {remark}".strip()
    axis.text(0, 0.98, title, weight="bold", va="top", fontsize=10, color="#a02020" if remark else "#202020")
    axis.text(0, 0.8, textwrap.fill(explanation.text, 38), va="top", fontsize=10)
    axis.text(0, 0.02, textwrap.fill(reason, 46), va="bottom", fontsize=8.5, color="#0072B2")
