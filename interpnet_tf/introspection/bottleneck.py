"""The maps of a classifier through which all that it decides has passed."""

from __future__ import annotations

import keras

from interpnet_tf.introspection.data_formats import FIRST, data_format
from interpnet_tf.introspection.graph import Trace, path_of, trace

_LEAST_SIDE = 4  # of fewer positions a map says hardly where


def last_maps(classifier: keras.Model) -> str | None:
    """Returns the path of the last maps that no way from input to output passes by.

    What a decision owes to each position of these maps is all that it owes to that place of the picture;
    of later maps beside which others lead on, it is a part.

    Args:
        classifier: a functional or sequential model.

    Returns:
        Path of a layer that gives `(batch, height, width, channels)`, or channels first, of at least 4
        positions a side; `None` where there is none.

    Example:

    >>> image = keras.Input((16, 16, 3))
    >>> maps = keras.layers.Conv2D(4, 3, padding="same", name="maps")(image)
    >>> pooled = [kind()(maps) for kind in (keras.layers.GlobalMaxPool2D, keras.layers.GlobalAvgPool2D)]
    >>> output = keras.layers.Dense(2, "softmax")(keras.layers.Concatenate()(pooled))
    >>> last_maps(keras.Model(image, output))
    'maps'
    """
    graph = trace(classifier)
    for call in reversed(graph.calls):
        if len(call.outputs) == 1 and _is_map(call.outputs[0]) and not _is_passed_by(graph, call.outputs[0]):
            return path_of(graph, call.outputs[0])
    return None


def _is_map(tensor: keras.KerasTensor) -> bool:
    if len(tensor.shape) != 4 or not keras.backend.is_float_dtype(tensor.dtype):
        return False
    sides = tensor.shape[2:] if data_format(tensor) == FIRST else tensor.shape[1:3]
    return None not in sides and min(sides) >= _LEAST_SIDE


def _is_passed_by(graph: Trace, tensor: keras.KerasTensor) -> bool:
    """Whether a way from the inputs to the output avoids `tensor`."""
    reached = set(map(id, graph.inputs.values()))
    for call in graph.calls:
        if not reached.isdisjoint(map(id, call.inputs)):
            reached.update(id(output) for output in call.outputs if output is not tensor)
    return not reached.isdisjoint(map(id, keras.tree.flatten(graph.output)))
