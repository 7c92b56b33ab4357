"""Models of a part of a classifier's graph."""

from __future__ import annotations

from collections.abc import Sequence

import keras


def cut(tensors: Sequence[keras.KerasTensor], output: keras.KerasTensor) -> keras.Model:
    """Returns the model that computes a tensor of a graph from others in the middle of it.

    The graph stays as it is. Where one of the tensors is an input and another is not, Keras alone would give
    the input a second node, and a model that begins there could not be saved any more.

    Args:
        tensors: what the output is computed from.
        output: of the same graph.

    Raises:
        ValueError: if the output does not follow from the tensors alone.
    """
    before = [
        (tensor, tensor._keras_history, list(tensor._keras_history[0]._inbound_nodes))
        for tensor in tensors
        if isinstance(tensor._keras_history[0], keras.layers.InputLayer)
    ]
    try:
        return keras.Model(list(tensors), output)
    finally:
        for tensor, history, nodes in before:
            tensor._keras_history = history
            history[0]._inbound_nodes[:] = nodes
