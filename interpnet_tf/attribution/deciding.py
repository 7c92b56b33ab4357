"""The graphs of attributions of the class: its log-probability where layers are replaced, and gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from interpnet_tf.attribution.heat_maps import channels_axis
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.introspection.introspector import Introspector
from interpnet_tf.introspection.probabilities import class_probabilities

_LEAST = 1e-37  # a probability that float32 can hold


def log_probabilities_of_classes(model: ExplainingModel, examples: tuple) -> tf.Tensor:
    """Returns log-probabilities of classes where some layers stand at their baselines, float32 `(rows,)`.

    A layer that is kept is computed from what stands before it.

    Args:
        model: the `InterpNet`.
        examples: what its classifier reads `(rows, …)`, class numbers `(rows,)`, which layers are kept, bool
            `(rows, layers)`, and baselines as r holds them `(rows, width)`.
    """
    x, class_ids, kept, baseline = examples
    introspector = model.introspector

    def replacement(path: str, place: int) -> Any:
        def replace(activation: tf.Tensor) -> tf.Tensor:
            keep = tf.reshape(kept[:, place], (-1, *[1] * (len(activation.shape) - 1)))
            return tf.where(keep, activation, at_baseline(introspector, path, baseline, activation))

        return replace

    replaced = {path: replacement(path, place) for place, path in enumerate(introspector.layer_paths)}
    return _log_probabilities(model, x, replaced, class_ids)


def decision_gradients(
    model: ExplainingModel, examples: tuple, points: tf.Tensor, weights: tf.Tensor, *, path: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the contributions of a layer's numbers to classes by integrated gradients.

    Args:
        model: the `InterpNet`.
        examples: what its classifier reads `(examples, …)`, class numbers `(examples,)` and baselines as r
            holds them `(examples, width)`.
        points, weights: of the path, see `path_points`.
        path: of the layer.

    Returns:
        By position, float32 `(examples, …)` without channels, and by channel, `(examples, channels)`.
    """
    x, class_ids, baseline = examples
    introspector, count = model.introspector, tf.shape(points)[0]
    end = introspector(x, training=False)[path]
    begin = at_baseline(introspector, path, baseline, end)
    end, begin = tf.cast(end, tf.float32), tf.cast(begin, tf.float32)

    def repeat(part: tf.Tensor) -> tf.Tensor:
        return tf.repeat(part, count, axis=0)

    along = tf.reshape(tf.tile(points, tf.shape(class_ids)), (-1, *[1] * (len(end.shape) - 1)))
    rows = repeat(begin) + along * repeat(end - begin)
    with tf.GradientTape() as tape:
        tape.watch(rows)
        of_rows = _log_probabilities(
            model, keras.tree.map_structure(repeat, x), {path: rows}, repeat(class_ids)
        )
        total = tf.reduce_sum(tf.tile(weights, tf.shape(class_ids)) * of_rows)
    gradients = tape.gradient(total, rows, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    shape = tf.concat([[-1, count], tf.shape(end)[1:]], axis=0)
    contributions = (end - begin) * tf.reduce_sum(tf.reshape(gradients, shape), axis=1)
    channels = channels_axis(introspector, path)
    positions = [axis for axis in range(1, len(end.shape)) if axis != channels]
    return tf.reduce_sum(contributions, axis=channels), tf.reduce_sum(contributions, axis=positions)


def at_baseline(
    introspector: Introspector, path: str, baseline: tf.Tensor, activation: tf.Tensor
) -> tf.Tensor:
    """Returns a layer's activation at its baseline: a map that has the baseline's numbers at every position.

    Args:
        introspector: whose layer it is.
        path: of the layer.
        baseline: as r holds it, `(rows, width)`.
        activation: of the layer, for its shape.
    """
    block, channels = baseline[:, introspector.slices[path]], channels_axis(introspector, path)
    if len(activation.shape) > 2:
        if block.shape[1] != activation.shape[channels]:  # of zeros, see `decisions.check_baseline`
            return tf.zeros_like(activation)
        shape = [-1 if axis in (0, channels) else 1 for axis in range(len(activation.shape))]
        shape[channels] = block.shape[1]
        block = tf.reshape(block, shape)
    return tf.broadcast_to(tf.cast(block, activation.dtype), tf.shape(activation))


def _log_probabilities(
    model: ExplainingModel, x: Any, replacements: Mapping[str, Any], class_ids: tf.Tensor
) -> tf.Tensor:
    path = model.introspector.probabilities_path
    outputs = model.introspector.intervene(x, replacements, also=[path], stop_gradient=False)[path]
    probabilities = class_probabilities(model.classifier, outputs, model.output_kind)
    of_class = tf.gather(probabilities, class_ids, axis=1, batch_dims=1)
    return tf.math.log(tf.maximum(of_class, _LEAST))
