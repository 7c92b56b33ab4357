"""What the server and the process that reads JSON for it say to each other: a head, and arrays of bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

_COUNT = struct.Struct(">I")
_LENGTH = struct.Struct(">Q")


def write(file: BinaryIO, head: Mapping[str, Any], parts: Sequence[Any] = ()) -> None:
    """Writes a frame: a head that JSON can carry, and buffers."""
    buffers = [json.dumps(head).encode(), *parts]
    file.write(_COUNT.pack(len(buffers)))
    for buffer in buffers:
        file.write(_LENGTH.pack(memoryview(buffer).nbytes))
        file.write(buffer)
    file.flush()


def read(file: BinaryIO) -> tuple[dict[str, Any], list[bytes]]:
    """Reads a frame.

    Raises:
        EOFError: if there is none.
    """
    (count,) = _COUNT.unpack(_exactly(file, _COUNT.size))
    head, *parts = (_exactly(file, *_LENGTH.unpack(_exactly(file, _LENGTH.size))) for _ in range(count))
    return json.loads(head), parts


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError("the other process has ended")
    return data


def pack(arrays: Mapping[str, np.ndarray]) -> tuple[list[Any], list[Any]]:
    """Returns the description and the buffers of arrays of numbers or of bytes."""
    described, parts = [], []
    for name, array in arrays.items():
        described.append([name, "" if array.dtype == object else array.dtype.name, array.shape])
        if array.dtype == object:
            items = array.ravel().tolist()
            parts += [np.array([len(item) for item in items], np.int64).tobytes(), b"".join(items)]
        else:
            parts.append(array.tobytes())
    return described, parts


def unpack(described: Sequence[Any], parts: Sequence[bytes]) -> dict[str, np.ndarray]:
    """Returns the arrays that `pack` has packed."""
    arrays, rest = {}, iter(parts)
    for name, dtype, shape in described:
        if dtype:
            arrays[name] = np.frombuffer(next(rest), dtype).reshape(shape)
            continue
        ends = np.cumsum(np.frombuffer(next(rest), np.int64)).tolist()
        text = next(rest)
        array = np.empty(len(ends), dtype=object)
        array[:] = [text[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
        arrays[name] = array.reshape(shape)
    return arrays
