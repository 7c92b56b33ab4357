"""Where the channels of a classifier's maps are: on the last axis, or on the first behind the batch."""

from __future__ import annotations

from collections import deque
from typing import Any

import keras

from interpnet_tf.introspection.graph import is_graph

FIRST, LAST = "channels_first", "channels_last"

# Layers that read the last axis whatever the data format.
_READ_LAST_AXIS = (
    keras.layers.Bidirectional,
    keras.layers.Dense,
    keras.layers.Embedding,
    keras.layers.GroupQueryAttention,
    keras.layers.MultiHeadAttention,
    keras.layers.RNN,
)
# Their `data_format` is a default that does not matter to what they compute.
_INDIFFERENT = (
    keras.layers.Rescaling,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
)
# Behind these an axis means something else.
_MOVES_AXES = (keras.layers.Permute, keras.layers.Reshape)


def data_format(tensor: keras.KerasTensor) -> str:
    """Returns "channels_first" or "channels_last" for maps, sequences or volumes of a classifier.

    The nearest layer of the graph tells that says so itself: a convolution, a pooling, a normalisation of one
    axis. Where none does, maps have the data format that Keras is set to, and sequences their channels last.

    Args:
        tensor: of a functional model, rank 3 to 5.
    """
    default = keras.config.image_data_format() if len(tensor.shape) > 3 else LAST
    return _told(tensor) or default


def _told(tensor: keras.KerasTensor) -> str | None:
    rank = len(tensor.shape)
    waiting, seen = deque([tensor]), {id(tensor)}
    while waiting:
        here = waiting.popleft()
        layer, node_index, index = here._keras_history
        if found := _format_of_output(layer, index, rank):
            return found
        neighbours = [] if _moves_axes(layer) else list(layer._inbound_nodes[node_index].input_tensors)
        for reader in _readers(here):
            if found := _format_of_input(reader.operation, rank):
                return found
            neighbours += [] if _moves_axes(reader.operation) else reader.outputs
        for neighbour in neighbours:
            if len(neighbour.shape) == rank and id(neighbour) not in seen:
                seen.add(id(neighbour))
                waiting.append(neighbour)
    return None


def _readers(tensor: keras.KerasTensor) -> list[Any]:
    nodes = tensor._keras_history[0]._outbound_nodes
    return [node for node in nodes if any(read is tensor for read in node.input_tensors)]


def _moves_axes(layer: keras.Operation) -> bool:
    return isinstance(layer, _MOVES_AXES) or type(layer).__name__ in ("Transpose", "Moveaxis", "Reshape")


def _format_of_output(layer: keras.Operation, index: int, rank: int) -> str | None:
    return _told(layer.outputs[index]) if is_graph(layer) else _format_of(layer, rank)


def _format_of_input(layer: keras.Operation, rank: int) -> str | None:
    if not is_graph(layer):
        return _format_of(layer, rank)
    told = (_told(tensor) for tensor in layer.inputs if len(tensor.shape) == rank)
    return next((found for found in told if found), None)


def _format_of(layer: keras.Operation, rank: int) -> str | None:
    if isinstance(layer, _READ_LAST_AXIS):
        return LAST
    if isinstance(layer, keras.layers.BatchNormalization | keras.layers.GroupNormalization):
        return {1: FIRST, rank - 1: LAST, -1: LAST}.get(layer.axis)
    told = None if isinstance(layer, _INDIFFERENT) else getattr(layer, "data_format", None)
    return told if told in (FIRST, LAST) else None
