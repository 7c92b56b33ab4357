"""`TensorProto` and arrays: what gRPC carries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.serving.errors import invalid
from interpnet_tf.serving.specs import Inputs

# TensorFlow Serving answers in these fields, and clients read them.
FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.uint8: "int_val",
    tf.uint16: "int_val",
    tf.int64: "int64_val",
    tf.bool: "bool_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.string: "string_val",
}
PIECE = 2**16  # values that are converted in one go, while which no other thread runs
BYTES_OF_A_STRING = 24  # in TensorFlow, beside its text


def read_inputs(inputs: Mapping[str, Any], signature: Inputs, most_bytes: float) -> dict[str, np.ndarray]:
    """Turns the tensors of a request into arrays.

    Args:
        inputs: a `TensorProto` a name.
        signature: what will read them.
        most_bytes: refuse a larger array. A tensor of one number and a shape unfolds to that shape, so that
            the size of a message bounds nothing.

    Raises:
        ServingError: if the signature does not take them.
    """
    signature.check_names(set(inputs))
    return {name: _read(proto, name, signature, most_bytes) for name, proto in inputs.items()}


def _read(proto: Any, name: str, signature: Inputs, most_bytes: float) -> np.ndarray:
    spec = signature.inputs[name]
    if proto.dtype != spec.dtype.as_datatype_enum:
        try:
            seen = tf.as_dtype(proto.dtype).name
        except TypeError:
            seen = "of no type"
        raise invalid(f'input "{name}" is {seen}, but the model reads {spec.dtype.name}; convert it first')
    shape = tuple(dimension.size for dimension in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise invalid(f'input "{name}" has an open shape; give every dimension its size')
    spec.check_shape(shape)
    if _unfolded_bytes(proto, math.prod(shape)) > most_bytes:
        raise invalid(f'input "{name}" of shape {list(shape)} is larger than {most_bytes} bytes; send less')
    try:
        return _values(proto, math.prod(shape)).reshape(shape)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid(
            f'input "{name}" is not a sound TensorProto: {error}; use tf.make_tensor_proto'
        ) from None


def _unfolded_bytes(proto: Any, count: int) -> int:
    """Returns how large a tensor of `count` values is, its last value counted as often as it is repeated."""
    if proto.dtype != tf.string.as_datatype_enum:
        return count * tf.as_dtype(proto.dtype).size
    texts = proto.string_val
    written = count * BYTES_OF_A_STRING + proto.ByteSize()
    return written + ((count - len(texts)) * len(texts[-1]) if 0 < len(texts) < count else 0)


def _values(proto: Any, count: int) -> np.ndarray:
    """Returns the values of a tensor, flat. The last one that is there stands for those that follow."""
    dtype = tf.as_dtype(proto.dtype)
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, dtype.as_numpy_dtype)
    if dtype not in FIELDS:
        return tf.make_ndarray(proto).ravel()
    values = getattr(proto, FIELDS[dtype])
    if len(values) > count:
        raise ValueError(f"it has {len(values)} values, and its shape has room for {count}")
    array = np.zeros(count, dtype.as_numpy_dtype)
    if dtype == tf.string:
        array[:] = b""
    for begin in range(0, len(values), PIECE):
        piece = values[begin : begin + PIECE]
        array[begin : begin + len(piece)] = np.array(piece, array.dtype)
    if values:
        array[len(values) :] = array[len(values) - 1]
    return array


def write(array: np.ndarray, dtype: tf.DType) -> Any:
    """Returns the `TensorProto` of an array, its numbers in the typed fields."""
    if dtype not in FIELDS:
        return tf.make_tensor_proto(array, dtype)
    proto = tf.make_tensor_proto([], dtype, shape=(0,))
    proto.Clear()
    proto.dtype = dtype.as_datatype_enum
    proto.tensor_shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    values, flat = getattr(proto, FIELDS[dtype]), array.ravel()
    for begin in range(0, flat.size, PIECE):
        values.extend(flat[begin : begin + PIECE].tolist())
    return proto
