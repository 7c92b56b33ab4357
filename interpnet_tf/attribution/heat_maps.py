"""Heat maps: where in a layer's map, before it is pooled, its contribution to a word lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.data.inputs import input_batches
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.introspection.data_formats import FIRST, data_format
from interpnet_tf.introspection.introspector import Introspector


def layers_of_maps(introspector: Introspector) -> list[str]:
    """Returns the paths of the layers in r that are maps, sequences or volumes, which r holds pooled."""
    return [path for path in introspector.layer_paths if len(introspector.output[path].shape) > 2]


def channels_axis(introspector: Introspector, path: str) -> int:
    """Returns the axis of a map's channels, 1 or the last."""
    activation = introspector.output[path]
    return 1 if data_format(activation) == FIRST else len(activation.shape) - 1


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
    introspector, result = model.introspector, []
    paths = layers_of_maps(introspector)
    for example, of_words, of_layers in zip(
        input_batches(x, 1, introspector.input), gradients, scores, strict=True
    ):
        found = model._position_shares(example, tf.constant(of_words))
        maps = {}
        for path, shares in zip(paths, found, strict=True):
            score = of_layers[:, introspector.layer_paths.index(path)]
            by_position = shares.numpy().reshape(len(score), -1)
            missing = score[:, None] - by_position.sum(axis=1, keepdims=True)
            by_position = by_position + missing / by_position.shape[1]
            maps[path] = by_position.reshape(shares.shape).astype("float32")
        result.append(maps)
    return result


def position_shares(model: ExplainingModel, x: Any, gradients: tf.Tensor) -> list[tf.Tensor]:
    """Returns activation times gradient at each position of each map, `(words, …)` for each layer of maps.

    Args:
        model: the `InterpNet`.
        x: one example, `(1, …)`.
        gradients: mean gradients of its words by r, float32 `(words, width)`.
    """
    introspector = model.introspector
    activations = introspector(x, training=False)
    shares = []
    for path in layers_of_maps(introspector):
        rows = tf.repeat(activations[path], tf.shape(gradients)[0], axis=0)
        with tf.GradientTape() as tape:
            tape.watch(rows)
            pooled = introspector.pool(path, rows, x)
        of_layer = gradients[:, introspector.slices[path]]
        by_position = tape.gradient(pooled, rows, output_gradients=tf.cast(of_layer, pooled.dtype))
        product = tf.cast(by_position * rows, tf.float32)
        shares.append(tf.reduce_sum(product, axis=channels_axis(introspector, path)))
    return shares
