"""The words of a sentence, and how much each layer contributed to them."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from interpnet_tf.analysis.plot.figure import new_figure, open_sides
from interpnet_tf.attribution import Attribution
from interpnet_tf.support.marked_words import color_of


def words_by_layer(attribution: Attribution) -> Figure:
    """Draws a bar for each word, whose pieces are what the layers contributed to it.

    Pieces to the right make the word more probable, those to the left less.

    Args:
        attribution: of a sentence, see `analysis.attribute`.

    Returns:
        The figure.

    Raises:
        ValueError: if the sentence has no words.

    Example:

    >>> import numpy as np
    >>> words = Attribution(("a", "crow"), ("hidden", "output"), np.array([[0.1, 0], [2, -0.5]]),
    ...                     np.array([-0.1, -0.2]), np.array([-0.2, -1.75]), "shapley")
    >>> [axis] = words_by_layer(words).axes
    >>> [label.get_text() for label in axis.get_yticklabels()]
    ['a', 'crow']
    """
    words, scores = attribution.words, attribution.scores
    if not words:
        raise ValueError("attribution must have words, got a sentence without any")
    figure = new_figure(6.4, 1.2 + 0.3 * len(words))
    axis = open_sides(figure.subplots())
    rows = np.arange(len(words))
    ends = {True: np.zeros(len(words)), False: np.zeros(len(words))}
    for place, layer in enumerate(attribution.layers):
        for positive, end in ends.items():
            lengths = np.where((scores[:, place] > 0) == positive, scores[:, place], 0)
            label = layer if positive else None
            axis.barh(rows, lengths, left=end, color=color_of(place), label=label, edgecolor="white")
            ends[positive] = end + lengths
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_yticks(rows, words)
    axis.invert_yaxis()
    attends = attribution.method == "attention"
    axis.set_xlabel("share of the attention" if attends else "nats by which the word becomes more probable")
    figure.legend(loc="outside upper center", ncols=min(4, len(attribution.layers)), frameon=False)
    return figure
