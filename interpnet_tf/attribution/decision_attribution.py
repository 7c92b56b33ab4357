"""`DecisionAttribution`: how much each layer of the classifier contributed to its decision."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from interpnet_tf.attribution.attribution import chosen_map, top_units
from interpnet_tf.attribution.tables import place_of, signed_table


@dataclasses.dataclass(frozen=True, eq=False)
class DecisionAttribution:
    """How much each layer of r(x) contributed to the log-probability of a class.

    Layers that lie behind others are functions of them, so that the scores of layers are not parts of one
    whole: each tells what would be lost were that layer alone at its baseline, with everything behind it
    computed anew. Only Shapley values share one difference out among the layers.

    Attributes:
        label: the class's name.
        class_id: its number.
        layers: names of the layers, in the order of r.
        scores: float32 `(layers,)`, in nats.
        log_probability: of the class, in nats.
        baseline_log_probabilities: the same with that layer alone at its baseline, float32 `(layers,)`; for
            Shapley values with all of them at theirs.
        method: the method's name.
        units: the contribution of each number of r, float32 `(width,)`, for layers that come from maps summed
            over the positions; those of a layer add up to its score. NaN where the pooling mixes channels.
            `None` where the method tells layers only.
        slices: the slice of r that holds each layer, by name.
        heat_maps: for layers that come from maps, the contribution of each position, by name.

    Example:

    >>> import numpy as np
    >>> print(DecisionAttribution("crow", 0, ("hidden", "output"), np.array([1.5, 2]), -0.1,
    ...                           np.array([-1.6, -2.1]), "layer_ablation"))
          hidden  output
    crow   +1.50   +2.00
    """

    label: str
    class_id: int
    layers: tuple[str, ...]
    scores: np.ndarray
    log_probability: float
    baseline_log_probabilities: np.ndarray
    method: str
    units: np.ndarray | None = None
    slices: Mapping[str, slice] = dataclasses.field(default_factory=dict, repr=False)
    heat_maps: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def completeness_error(self) -> np.ndarray:
        """By how many nats each score misses the change of the log-probability, `(layers,)`.

        For Shapley values, by how much their sum misses the change with all layers at their baselines.
        """
        scores = self.scores.sum() if self.method == "shapley" else self.scores
        return np.abs(scores - (self.log_probability - self.baseline_log_probabilities))

    def top_units(self, layer: str | int, count: int = 5) -> list[tuple[int, float]]:
        """Returns the units of a layer that contributed most, see `Attribution.top_units`."""
        layer = self.layers[place_of("layer", layer, self.layers)]
        return top_units(self.units, self.slices[layer], count, self.method)

    def heat_map(self, layer: str | int | None = None) -> np.ndarray:
        """Returns where in a layer's map its contribution lies: gradient * (activation - baseline) there.

        Args:
            layer: its name or number; `None` is the one among those with a map that contributed most.

        Returns:
            float32 `(height, width)`, for sequences `(steps,)`, whose sum is the layer's score.

        Raises:
            ValueError: if there is no map.
        """
        return chosen_map(self.heat_maps, layer, self.layers, self.scores, self.method)

    def __str__(self) -> str:
        return signed_table([self.label], self.layers, self.scores[None])
