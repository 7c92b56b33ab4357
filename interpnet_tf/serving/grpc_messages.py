"""Takes the messages of gRPC requests: not for ever, and not all at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from interpnet_tf.serving.errors import invalid

PATIENCE = 0.25  # seconds that a message may take to come while others wait


class MessageGate:
    """Bounds how many messages are on their way into memory.

    The newest request goes first. If it finds no room, the one whose message has been coming for the longest
    time has to give way, once that has been for `PATIENCE` seconds: small messages are there at once, and who
    sends nothing holds nobody up.

    Args:
        most: messages at a time.
        seconds: that a message may take.
    """

    def __init__(self, most: int, seconds: float):
        self._most = most
        self._seconds = seconds
        self._waiting: list[asyncio.Timeout] = []
        self._coming: dict[asyncio.Timeout, float] = {}

    async def receive(self, messages: AsyncIterator[bytes]) -> bytes:
        """Returns the message of a request.

        Raises:
            TimeoutError: if it does not come, or others needed its room.
            ServingError: if there is none.
        """
        async with asyncio.timeout(self._seconds) as limit:
            await self._wait_for_room(limit)
            self._coming[limit] = asyncio.get_running_loop().time()
            try:
                async for message in messages:
                    return message
            finally:
                self._coming.pop(limit, None)
        raise invalid("the request has no message; send a PredictRequest")

    async def _wait_for_room(self, limit: asyncio.Timeout) -> None:
        if len(self._coming) < self._most:
            return
        self._waiting.append(limit)
        try:
            while self._waiting[-1] is not limit or not self._has_room():
                await asyncio.sleep(0.01)
        finally:
            self._waiting.remove(limit)

    def _has_room(self) -> bool:
        now = asyncio.get_running_loop().time()
        oldest = min(self._coming, key=self._coming.__getitem__, default=None)
        if len(self._coming) < self._most or oldest is None:
            return True
        if now - self._coming[oldest] < PATIENCE:
            return False
        del self._coming[oldest]
        oldest.reschedule(now)
        return True
