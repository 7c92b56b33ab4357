"""Curves: the course of a training, and risk against coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from interpnet_tf.analysis.plot.figure import new_figure, open_sides
from interpnet_tf.support.marked_words import color_of


def risk_coverage(
    coverage: Sequence[float], risk: Sequence[float], thresholds: Sequence[float] | None = None
) -> Figure:
    """Draws the share of what is said that is wrong against the share of the examples that are spoken of.

    Args:
        coverage: shares of the examples of which something is said, 0..1, ascending.
        risk: the share of it that is wrong, 0..1.
        thresholds: the confidence below which nothing is said at each point; a few are written beside it.

    Returns:
        The figure.

    Raises:
        ValueError: if the arguments differ in length or are empty.

    Example:

    >>> figure = risk_coverage([0.5, 1.0], [0.01, 0.07], thresholds=[0.9, 0.0])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['0.90', '0.00']

    References:
    - [Geifman & El-Yaniv, 2017](https://arxiv.org/abs/1705.08500), selective classification
    """
    lengths = {"coverage": len(coverage), "risk": len(risk)}
    lengths |= {} if thresholds is None else {"thresholds": len(thresholds)}
    if len(set(lengths.values())) != 1 or not len(coverage):
        raise ValueError(f"coverage, risk and thresholds must be of one length, at least 1, got {lengths}")
    coverage, risk = (100 * np.asarray(part, "float64") for part in (coverage, risk))
    figure = new_figure(5.6, 3.6)
    axis = open_sides(figure.subplots())
    axis.plot(coverage, risk, color=color_of(0), marker="o" if len(risk) < 20 else None)
    if thresholds is not None:
        for place in np.unique(np.linspace(0, len(risk) - 1, min(6, len(risk))).astype(int)):
            axis.plot(coverage[place], risk[place], "o", color=color_of(0))
            axis.annotate(
                f"{thresholds[place]:.2f}",
                (coverage[place], risk[place]),
                textcoords="offset points",
                xytext=(-4, 6),
                ha="right",
            )
    axis.set_xlim(0, 102)
    axis.set_ylim(0, max(1.0, 1.15 * np.nanmax(risk, initial=0)))
    axis.set_xlabel("coverage: examples of which something is said, %")
    axis.set_ylabel("risk: of it wrong, %")
    return figure


def training_curves(histories: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Draws the losses of each stage of a training, and accuracies and rewards where there are some.

    Args:
        histories: for the name of each stage what Keras' `fit` returns as `History.history`: lists of
            numbers, one an epoch, by name.

    Returns:
        The figure, a panel for each stage and quantity.

    Raises:
        ValueError: if no stage has a loss, an accuracy or a reward.

    Example:

    ```python
    history = model.fit(train, validation_data=valid, epochs=4)
    training_curves({"explainer": history.history}).savefig("training.png")
    ```
    """
    panels = [
        (stage, quantity, history)
        for stage, history in histories.items()
        for quantity in ("loss", "accuracy", "reward")
        if quantity in history
    ]
    if not panels:
        raise ValueError("histories must hold a stage with a loss, an accuracy or a reward, got none")
    figure = new_figure(3.6 * len(panels), 3.0)
    for axis, (stage, quantity, history) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        open_sides(axis).set_title(f"{stage}: {quantity}", fontsize=10)
        for place, (name, label) in enumerate(((quantity, "training"), (f"val_{quantity}", "validation"))):
            if name in history:
                epochs = range(1, 1 + len(history[name]))
                style = "--" if place else "-"
                axis.plot(epochs, history[name], style, color=color_of(place), label=label, marker=".")
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend(frameon=False)
    return figure
