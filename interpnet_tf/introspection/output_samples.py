"""What a classifier may answer: sample outputs, found without its data and without running all of it."""

from __future__ import annotations

import math
import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.introspection.cutting import cut
from interpnet_tf.introspection.graph import has_own_call, is_graph

# Numbers that enter the end of the classifier: a row of each size, most so small that an exponential of them
# does not overflow float16, some so large that what saturates has saturated.
_SIZES = 2 * (0.3, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 30.0)
# Length of an axis that the classifier leaves open.
_OPEN = 16
# The most numbers of a row: all rows of one tensor then take 256 MB.
_LARGEST = 4_000_000

# Layers that multiply by a kernel, add a bias and apply an activation: they can give any number before it.
_AFFINE = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
    keras.layers.Embedding,
)


class NoSamplesError(ValueError):
    """The outputs depend on inputs that cannot be made up, such as strings."""


def sample_outputs(classifier: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """Runs the end of a classifier on random numbers.

    The classifier is followed from its output back to the layers that multiply by a kernel, which may give
    any number before their activation. Random numbers of several sizes take their place, and what lies
    behind runs as it is: softmax of whatever spelling, averages, casts, layers of the user's. So a few
    operations tell what the outputs are like, whether or not the classifier is trained.

    Args:
        classifier: a functional or built Sequential model with one output.

    Returns:
        Two arrays `(rows, ...)`: outputs with the weights as they are, and with all weights behind the random
        numbers moved by random positive amounts; rows that overflow are left out. The two are the same
        where there are no such weights.

    Raises:
        NoSamplesError: if the output depends on inputs that cannot be made up, or the end cannot be run.
    """
    rng = np.random.default_rng(0)
    with tf.init_scope(), warnings.catch_warnings(action="ignore"):  # Keras' on a softmax of one unit
        try:
            return tuple(_finite(rows) for rows in _rows_of(classifier.outputs[0], rng))
        except NoSamplesError:
            raise
        except Exception as error:  # a layer of the user's may raise anything on numbers it has never seen
            raise NoSamplesError(
                f"its end fails on random numbers ({type(error).__name__}: {error})"
            ) from error


def _rows_of(output: keras.KerasTensor, rng: np.random.Generator, nested: bool = False) -> list[np.ndarray]:
    """Returns samples of a tensor with the weights as they are and with moved ones."""
    starts: dict[int, tuple[keras.KerasTensor, list[Any]]] = {}
    waiting, seen = [output], set()
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        samples = _samples_at(tensor, rng, nested)
        if samples is None:
            waiting += _node(tensor).input_tensors
        else:
            starts[id(tensor)] = tensor, samples
    if id(output) in starts:
        return [_array(samples) for samples in starts[id(output)][1]]
    tensors, samples = zip(*starts.values(), strict=True)
    end = cut(tensors, output)
    weights = [weight for layer in end.operations for weight in getattr(layer, "weights", ())]
    moved = [(w, w.value + _noise(w, rng)) for w in weights if keras.backend.is_float_dtype(w.dtype)]
    with keras.StatelessScope():  # a layer that keeps a state does not keep this one
        as_is = _array(end([of_one[0] for of_one in samples]))
    if not moved and all(of_one[0] is of_one[1] for of_one in samples):
        return [as_is, as_is]
    with keras.StatelessScope(state_mapping=moved):
        return [as_is, _array(end([of_one[1] for of_one in samples]))]


def _samples_at(tensor: keras.KerasTensor, rng: np.random.Generator, nested: bool) -> list[Any] | None:
    """Returns samples with the weights as they are and moved; `None` if what gives the tensor has to run."""
    layer, _, index = tensor._keras_history
    if isinstance(layer, keras.layers.InputLayer):
        if nested:
            raise NoSamplesError("the nested model passes its input on")
        return [_input(tensor, rng)] * 2
    if isinstance(layer, _AFFINE) and not has_own_call(layer):
        activation = getattr(layer, "activation", None) or keras.activations.linear
        if activation is keras.activations.linear and _reads_probabilities(tensor, rng, nested):
            return None  # such as a matrix of label noise behind a softmax
        return [activation(_numbers(tensor, rng))] * 2
    if is_graph(layer):
        try:
            return [tf.convert_to_tensor(rows) for rows in _rows_of(layer.outputs[index], rng, nested=True)]
        except NoSamplesError:
            return None
    return None


def _reads_probabilities(tensor: keras.KerasTensor, rng: np.random.Generator, nested: bool) -> bool:
    (read, *_) = _node(tensor).input_tensors
    if len(read.shape) != 2 or isinstance(read._keras_history[0], keras.layers.InputLayer):
        return False
    try:
        as_is, moved = _rows_of(read, rng, nested)
    except Exception:  # what cannot be tried here is no softmax of few operations
        return False
    return are_distributions(_finite(as_is)) and are_distributions(_finite(moved))


def are_distributions(rows: np.ndarray) -> bool:
    """Whether every row `(rows, classes)` has no negative number and the sum one, within half precision."""
    return len(rows) > 0 and rows.min() >= -1e-3 and bool(np.all(np.abs(rows.sum(axis=-1) - 1) < 1e-2))


def _node(tensor: keras.KerasTensor) -> Any:
    layer, node_index, _ = tensor._keras_history
    return layer._inbound_nodes[node_index]


def _numbers(tensor: keras.KerasTensor, rng: np.random.Generator) -> tf.Tensor:
    shape = [_OPEN if size is None else size for size in tensor.shape[1:]]
    if math.prod(shape) > _LARGEST:
        raise NoSamplesError("its end reads maps too large to be tried")
    sizes = np.reshape(np.float32(_SIZES), (-1, *(1 for _ in shape)))
    return tf.cast(rng.standard_normal((len(_SIZES), *shape), "float32") * sizes, tensor.dtype)


def _input(tensor: keras.KerasTensor, rng: np.random.Generator) -> tf.Tensor:
    if keras.backend.is_float_dtype(tensor.dtype):
        return _numbers(tensor, rng)
    if tensor.dtype == "string":
        raise NoSamplesError("its end reads strings")
    shape = [_OPEN if size is None else size for size in tensor.shape[1:]]
    return tf.cast(rng.integers(0, 2, size=(len(_SIZES), *shape)), tensor.dtype)


def _noise(weight: keras.Variable, rng: np.random.Generator) -> tf.Tensor:
    return tf.cast(rng.uniform(0.1, 1, size=tuple(weight.shape)), weight.dtype)


def _array(rows: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(rows)).astype("float64")


def _finite(rows: np.ndarray) -> np.ndarray:
    return rows[np.isfinite(rows).all(axis=tuple(range(1, rows.ndim)))]
