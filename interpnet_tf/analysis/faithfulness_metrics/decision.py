"""Which layers of a classifier make up its decision, and r(x) with those of another example."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.introspection.default_layers import default_layers
from interpnet_tf.introspection.graph import trace
from interpnet_tf.model import InterpNet


def decision_layers(model: InterpNet) -> list[str]:
    """Returns the layers that a classifier computes from its features, from the first to the probabilities.

    They are those that r(x) holds by default, but for the first, which is what the classifier reads, or makes
    of a picture: the features. In them it decides, and a caption of the picture has no need of them. Whatever
    else r(x) holds that follows from the features, such as a vector of the predicted class, is one of them.
    """
    features, *decides = default_layers(trace(model.classifier))
    graph = trace(model.classifier, [features, *model.introspector.slices])
    behind = {id(graph.activations[features])}
    for call in graph.calls:
        if not behind.isdisjoint(map(id, call.inputs)):
            behind.update(map(id, call.outputs))
    others = [path for path in model.introspector.slices if path not in (features, *decides)]
    return [*decides, *(path for path in others if id(graph.activations[path]) in behind)]


def with_layers_of(material: Material, layers: Sequence[str], sources: np.ndarray) -> np.ndarray:
    """Returns r(x) with the blocks of some layers, as far as it holds them, taken from other examples."""
    r = material.r.copy()
    for layer, block in material.model.introspector.slices.items():
        if layer in layers:
            r[:, block] = material.r[sources, block]
    return r
