"""Which steps of a classifier's sequences are real and which are padding, as its graph of layers tells."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras

# Arguments by which layers are told of padding, `(batch, steps)`.
_PADDING = ("padding_mask", "decoder_padding_mask", "query_mask", "mask", "attention_mask")
# Operations that are no layers, but work on each step for itself.
_EACH_STEP = ("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Cast")
_EACH_STEP += ("Relu", "LeakyRelu", "Elu", "Gelu", "Silu", "Tanh", "Sigmoid")


class _Step(NamedTuple):
    """One call of a layer, as far as its sequences go."""

    read: list[keras.KerasTensor]
    given: list[keras.KerasTensor]
    told: keras.KerasTensor | None
    keeps: bool


class StepMasks:
    """Finds the padding masks of the sequences of one graph.

    A mask is what a layer is told by an argument (`padding_mask` of KerasHub's layers; `attention_mask` of a
    self-attention, whose steps that nobody may look at are padding) or what it makes itself (`Embedding(…,
    mask_zero=True)`, `Masking`). It holds for the sequences before and behind, as far as every layer between
    keeps each step where it is, whether or not Keras' own mask gets through.

    A sequence without a mask in reach has none: layers of the user's pass one on where their shapes are known
    and stay the same, or where they say `supports_masking`.
    """

    def __init__(self) -> None:
        self._steps: list[_Step] = []
        self._masks: dict[int, keras.KerasTensor] = {}

    def add(self, layer: keras.Operation, args: tuple, kwargs: Mapping[str, Any], outputs: list[Any]) -> None:
        """Takes note of one call of a layer, in the order of the graph."""
        arguments = _by_name(layer, args, kwargs)
        tensors = [x for x in keras.tree.flatten((args, kwargs)) if isinstance(x, keras.KerasTensor)]
        read = [tensor for tensor in tensors if len(tensor.shape) == 3 and _is_float(tensor)]
        given = [tensor for tensor in outputs if len(tensor.shape) == 3 and _is_float(tensor)]
        told = _told(arguments)
        told = _made(layer, tensors) if told is None else told
        self._steps.append(
            _Step(read[:1] if told is not None else read, given, told, _keeps(layer, read, given))
        )

    def settle(self) -> None:
        """Carries the masks along the graph, once all calls are added."""
        known = -1
        while len(self._masks) > known:
            known = len(self._masks)
            for step in (*self._steps, *reversed(self._steps)):
                sequences = [*step.read, *step.given] if step.keeps or step.told is not None else []
                masks = [self._masks[id(one)] for one in sequences if id(one) in self._masks]
                for mask in [step.told] if step.told is not None else masks[:1]:
                    for sequence in sequences:
                        if mask.shape[1] == sequence.shape[1]:
                            self._masks.setdefault(id(sequence), mask)

    def of(self, tensor: keras.KerasTensor) -> keras.KerasTensor | None:
        """Returns the mask `(batch, steps)` of a sequence, true where a step counts."""
        return self._masks.get(id(tensor))


def _by_name(layer: keras.Operation, args: tuple, kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    first = args[0] if args else None
    if isinstance(first, Mapping) and all(len(tensor.shape) == 2 for tensor in first.values()):
        return first  # a backbone that reads text and nothing else
    try:
        return inspect.signature(layer.call).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return kwargs


def _told(arguments: Mapping[str, Any]) -> keras.KerasTensor | None:
    for name in _PADDING:
        mask = arguments.get(name)
        if not isinstance(mask, keras.KerasTensor):
            continue
        if len(mask.shape) == 2 and (name == "padding_mask" or not _is_float(mask)):
            return mask
        attends_itself = arguments.get("query") is arguments.get("value")
        if name == "attention_mask" and attends_itself and len(mask.shape) in (3, 4):
            return keras.ops.any(keras.ops.cast(mask, "bool"), axis=tuple(range(1, len(mask.shape) - 1)))
    return None


def _made(layer: keras.Operation, tensors: list[keras.KerasTensor]) -> keras.KerasTensor | None:
    makes = isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False)
    mask = layer.compute_mask(tensors[0]) if makes else None
    return mask if isinstance(mask, keras.KerasTensor) and len(mask.shape) == 2 else None


def _keeps(layer: keras.Operation, read: list[keras.KerasTensor], given: list[keras.KerasTensor]) -> bool:
    """Whether step for step of what a layer gives belongs to the same step of what it reads."""
    if not read or not given or len({tensor.shape[1] for tensor in [*read, *given]}) > 1:
        return False
    if not isinstance(layer, keras.Layer):
        return type(layer).__name__ in _EACH_STEP
    if isinstance(layer, keras.layers.Concatenate):
        return layer.axis in (-1, 2)
    if isinstance(layer, keras.layers.Conv1D):
        return layer.strides == (1,) and layer.padding in ("same", "causal")
    if isinstance(layer, keras.layers.Lambda | keras.Model):
        return False
    same = None not in given[0].shape[1:] and given[0].shape == read[0].shape
    return layer.supports_masking or same or "Norm" in type(layer).__name__


def _is_float(tensor: keras.KerasTensor) -> bool:
    return keras.backend.is_float_dtype(tensor.dtype)
