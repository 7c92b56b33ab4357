"""Looks through a `PredictRequest` as it came, before protobuf unfolds it.

While protobuf reads a message no other thread runs, and two bytes of it may become fifty in memory: 32 MiB of
map entries take ten seconds. Honest messages have few fields; their numbers lie in one piece.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from interpnet_tf.serving.errors import ServingError, invalid

MOST_FIELDS = 100_000
MOST_VARINT_BYTES = 2**23
LONGEST_NAME = 2**16

_ANY = object()  # bytes of any number, which are copied
_VARINTS = object()  # numbers that are unpacked one by one
# By field number, what a field of variable length holds; another one is a name, or something as short.
_SHAPE = {2: {}}
_TENSOR = {2: _SHAPE, 4: _ANY, 5: _ANY, 6: _ANY, 8: _ANY, 9: _ANY, 12: _ANY, 18: _ANY}
_TENSOR |= dict.fromkeys((7, 10, 11, 13, 16, 17), _VARINTS)
_REQUEST = {2: {2: _TENSOR}}


def check(message: bytes) -> None:
    """Refuses a message that would take long, or much memory, to read.

    Raises:
        ServingError: if it has too many fields, or is none at all.
    """
    try:
        _Look(message).through(0, len(message), _REQUEST)
    except IndexError:
        raise _not_sound() from None


@dataclasses.dataclass
class _Look:
    message: bytes
    fields: int = 0
    varint_bytes: int = 0

    def through(self, position: int, end: int, schema: Mapping[int, Any]) -> None:
        while position < end:
            self.fields += 1
            if self.fields > MOST_FIELDS:
                raise invalid(
                    f"the message has more than {MOST_FIELDS} fields; send tensors as tf.make_tensor_proto "
                    "makes them, or fewer"
                )
            tag, position = self._varint(position)
            kind = tag & 7
            if kind == 2:
                size, position = self._varint(position)
                self._look_into(position, size, schema.get(tag >> 3))
                position += size
            elif kind == 0:
                _, position = self._varint(position)
            elif kind in (1, 5):
                position += 8 if kind == 1 else 4
            else:
                raise _not_sound()
        if position > end:
            raise _not_sound()

    def _look_into(self, position: int, size: int, inner: Any) -> None:
        if position + size > len(self.message):
            raise _not_sound()
        if isinstance(inner, Mapping):
            self.through(position, position + size, inner)
        elif inner is _VARINTS:
            self.varint_bytes += size
            if self.varint_bytes > MOST_VARINT_BYTES:
                raise invalid(
                    f"the message has more than {MOST_VARINT_BYTES} bytes of integers one by one; send "
                    "fewer, or as tensor_content, as tf.make_tensor_proto makes it"
                )
        elif inner is not _ANY and size > LONGEST_NAME:
            raise invalid(f"the message has a name, or an unknown field, of more than {LONGEST_NAME} bytes")

    def _varint(self, position: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
        raise _not_sound()


def _not_sound() -> ServingError:
    return invalid("the message is no PredictRequest of TensorFlow Serving's prediction_service.proto")
