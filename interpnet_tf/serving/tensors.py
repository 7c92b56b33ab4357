"""`TensorProto` and arrays: what gRPC carries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from interpnet_tf.serving.errors import invalid

if TYPE_CHECKING:
    from interpnet_tf.serving.servable import Signature

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


def read_inputs(inputs: Mapping[str, Any], signature: Signature, most_bytes: float) -> dict[str, np.ndarray]:
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


def _read(proto: Any, name: str, signature: Signature, most_bytes: float) -> np.ndarray:
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
    if math.prod(shape) * spec.dtype.size > most_bytes:
        raise invalid(f'input "{name}" of shape {list(shape)} is larger than {most_bytes} bytes; send less')
    try:
        return tf.make_ndarray(proto)
    except (ValueError, TypeError) as error:
        raise invalid(
            f'input "{name}" is not a sound TensorProto: {error}; use tf.make_tensor_proto'
        ) from None


def write(array: np.ndarray, dtype: tf.DType) -> Any:
    """Returns the `TensorProto` of an array, its numbers in the typed fields."""
    if dtype not in FIELDS:
        return tf.make_tensor_proto(array, dtype)
    proto = tf.make_tensor_proto([], dtype, shape=(0,))
    proto.Clear()
    proto.dtype = dtype.as_datatype_enum
    proto.tensor_shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    getattr(proto, FIELDS[dtype]).extend(array.ravel().tolist())
    return proto
