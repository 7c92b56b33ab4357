"""Which share of what is said, and of what is decided, rests on which layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from interpnet_tf.analysis.plot.figure import new_figure, open_sides
from interpnet_tf.attribution import Attribution, DecisionAttribution
from interpnet_tf.support.marked_words import color_of


def layer_shares(attributions: Sequence[Attribution] | Sequence[DecisionAttribution]) -> dict[str, float]:
    """Computes which share of the contributions is that of each layer.

    A layer's share is the sum of the absolute values of its scores, over all words and examples, divided by
    that of all layers. Only scores that are parts of one whole can be shared out: for the decision take
    `attribute_decision(…, method="shapley")`, whose layers do not count twice what they have of one another.

    Args:
        attributions: of the words, or of the class, of several examples of one model.

    Returns:
        A share between 0 and 1 for each layer; nan where no layer contributed anything.

    Raises:
        ValueError: if there is none, or they have different layers.

    Example:

    >>> import numpy as np
    >>> words = Attribution(("a", "crow"), ("hidden", "output"), np.array([[0.5, 0], [2, -1.5]]),
    ...                     np.array([-0.1, -0.2]), np.array([-0.6, -0.7]), "shapley")
    >>> layer_shares([words])
    {'hidden': 0.625, 'output': 0.375}
    """
    if len({of_one.layers for of_one in attributions}) != 1:
        raise ValueError(
            "attributions must be those of one model, one at least, got the layers "
            f"{sorted({of_one.layers for of_one in attributions})}"
        )
    layers = attributions[0].layers
    sums = sum(np.abs(of_one.scores).reshape(-1, len(layers)).sum(axis=0) for of_one in attributions)
    with np.errstate(invalid="ignore"):
        return dict(zip(layers, (sums / np.sum(sums)).tolist(), strict=True))


def layer_reliance(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draws which share of the contributions is that of each layer, a bar of pieces for each row.

    Args:
        shares: for the title of each row the shares by layer, see `layer_shares`.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no rows, or they have different layers.

    Example:

    ```python
    decisions = analysis.attribute_decision(model, images, method="shapley")
    rows = {"the words": layer_shares(model.attribute(images)), "the decision": layer_shares(decisions)}
    layer_reliance(rows).savefig("reliance.png")
    ```
    """
    layers = {tuple(of_row) for of_row in shares.values()}
    if len(layers) != 1:
        raise ValueError(f"shares must have rows of the same layers, got {sorted(layers)}")
    figure = new_figure(6.4, 1.3 + 0.45 * len(shares))
    axis = open_sides(figure.subplots())
    end = np.zeros(len(shares))
    for place, layer in enumerate(*layers):
        lengths = np.array([100 * of_row[layer] for of_row in shares.values()])
        bars = axis.barh(range(len(shares)), lengths, left=end, color=color_of(place), label=layer)
        texts = [f"{length:.0f}" if length >= 5 else "" for length in lengths]
        axis.bar_label(bars, texts, label_type="center", color=_text_on(color_of(place)))
        end += lengths
    axis.set_yticks(range(len(shares)), list(shares))
    axis.invert_yaxis()
    axis.set_xlim(0, 100)
    axis.set_xlabel("share of the contributions, %")
    figure.legend(loc="outside upper center", ncols=min(4, len(*layers)), frameon=False)
    return figure


def _text_on(color: str) -> str:
    """Returns black or white, whichever can be read on a colour `#RRGGBB`."""
    red, green, blue = (int(color[begin : begin + 2], 16) for begin in (1, 3, 5))
    return "#010101" if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else "white"
