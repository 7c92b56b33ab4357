"""Messages of gRPC: how many are on their way, and what they unfold to."""

import asyncio
import contextlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_serving.apis import predict_pb2

from interpnet_tf.serving import wire
from interpnet_tf.serving.errors import ServingError
from interpnet_tf.serving.grpc_messages import PATIENCE, MessageGate


def varint(number):
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(content):
    """A request with one tensor, of these serialized fields."""
    return field(2, field(1, b"x") + field(2, content))


@given(st.lists(st.integers(1, 4), max_size=3), st.sampled_from(["float32", "int64", "uint8", "str", "bool"]))
def test_what_clients_make_passes(shape, dtype):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "toy"
    request.model_spec.version.value = 7
    request.output_filter.append("label")
    for name in ("a", "b"):
        request.inputs[name].CopyFrom(tf.make_tensor_proto(np.ones(shape, dtype)))
    wire.check(request.SerializeToString())


@given(st.binary(max_size=60))
def test_any_bytes_pass_or_are_refused(message):
    with contextlib.suppress(ServingError):
        wire.check(message)


@given(st.binary(max_size=30))
def test_what_is_read_was_looked_through(message):
    """Nothing that protobuf would read as a tensor goes unseen."""
    parsed = predict_pb2.PredictRequest()
    try:
        parsed.ParseFromString(tensor(message))
    except Exception:
        return
    look = wire._Look(tensor(message))
    try:
        look.through(0, len(look.message), wire._REQUEST)
    except ServingError:  # groups, which no proto of ours has
        return
    assert look.fields >= 3 + sum(
        len(one.string_val) + len(one.tensor_shape.dim) for one in parsed.inputs.values()
    )


BOMBS = {
    "dimensions": tensor(field(2, field(2, b"") * wire.MOST_FIELDS)),
    "strings": tensor(field(8, b"") * wire.MOST_FIELDS),
    "inputs": field(2, b"") * (wire.MOST_FIELDS + 1),
    "inputs with names": b"".join(field(2, field(1, b"%d" % index)) for index in range(wire.MOST_FIELDS)),
    "filters": field(3, b"") * (wire.MOST_FIELDS + 1),
    "numbers one by one": tensor((varint(7 << 3) + b"\1") * wire.MOST_FIELDS),
    "integers": tensor(field(7, bytes(wire.MOST_VARINT_BYTES + 1))),
    "integers in two pieces": tensor(field(10, bytes(wire.MOST_VARINT_BYTES // 2 + 1)) * 2),
    "a long name": field(1, field(1, b"x" * 2**17)),
    "variants in variants": tensor(field(15, field(3, field(15, bytes(2**17))))),
    "resources": tensor(field(14, bytes(2**17))),
    "unknown": field(99, bytes(2**17)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_take_long_to_read_is_refused(name):
    with pytest.raises(ServingError, match="more than"):
        wire.check(BOMBS[name])


@pytest.mark.parametrize("end", [b"", b"\x0b", b"\x0c", b"\x0f", b"\x80" * 11, b"\x0a\x05abc"])
def test_groups_and_torn_messages(end):
    sound = field(3, b"label")
    if not end:
        wire.check(sound)
        return
    with pytest.raises(ServingError, match="no PredictRequest"):
        wire.check(sound + end)


class Sender:
    """Sends its message when told to."""

    def __init__(self, at_once=True):
        self.ready = asyncio.Event()
        if at_once:
            self.ready.set()

    async def __aiter__(self):
        await self.ready.wait()
        yield b"message"


def test_a_message_that_never_comes():
    with pytest.raises(TimeoutError):
        asyncio.run(MessageGate(2, 0.02).receive(Sender(at_once=False)))


def test_many_small_messages_at_once():
    async def work():
        gate = MessageGate(2, 30)
        assert await asyncio.gather(*[gate.receive(Sender()) for _ in range(50)]) == [b"message"] * 50
        assert gate._slow == {}

    asyncio.run(work())


def test_who_sends_nothing_gives_way():
    async def work():
        gate = MessageGate(2, 30)
        silent = [asyncio.create_task(gate.receive(Sender(at_once=False))) for _ in range(20)]
        assert await gate.receive(Sender()) == b"message"
        gone, waiting = silent[:18], silent[18:]
        await asyncio.wait(gone, timeout=30)
        assert all(isinstance(one.exception(), TimeoutError) for one in gone)
        assert not any(one.done() for one in waiting)
        for one in silent:
            one.cancel()
        await asyncio.gather(*silent, return_exceptions=True)
        assert gate._slow == {}

    asyncio.run(work())


def test_who_sends_slowly_may_if_nobody_waits():
    async def work():
        gate, slow = MessageGate(2, 30), Sender(at_once=False)
        receiving = asyncio.create_task(gate.receive(slow))
        await asyncio.sleep(2 * PATIENCE)
        assert await gate.receive(Sender()) == b"message"
        slow.ready.set()
        assert await receiving == b"message"

    asyncio.run(work())
