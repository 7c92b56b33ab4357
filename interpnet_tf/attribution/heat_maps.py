"""Heat maps: where in a layer's map, before it is pooled, its contribution to a word lies."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.inputs import input_batches
from interpnet_tf.generation.explaining_model import ExplainingModel


def heat_maps_of(
    model: ExplainingModel, x: Any, gradients: list[np.ndarray], scores: list[np.ndarray]
) -> list[dict[str, np.ndarray]]:
    """Returns the heat maps of the words of sentences, by layer, see `Attribution.heat_map`.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads.
        gradients: mean gradients by r, `(words, width)` for each sentence.
        scores: of the layers, `(words, layers)` for each sentence.
    """
    introspector = model.introspector
    poolings = introspector.poolings
    result = []
    for place, example in enumerate(input_batches(x, 1, introspector.input)):
        activations = poolings.activations(example)
        maps = {}
        for path in poolings.paths:
            of_layer = gradients[place][:, introspector.slices[path]]
            shares = _shares(poolings, path, activations, tf.constant(of_layer)).numpy()
            score = scores[place][:, introspector.layer_paths.index(path)]
            positions = shares[0].size if len(shares) else 1
            missing = (score - shares.reshape(len(shares), -1).sum(axis=1)) / positions
            maps[path] = (shares + missing.reshape(-1, *[1] * (shares.ndim - 1))).astype("float32")
        result.append(maps)
    return result
