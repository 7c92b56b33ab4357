"""Takes the messages of gRPC requests: not for ever, and not all at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from interpnet_tf.serving.errors import invalid

PATIENCE = 0.25  # seconds after which a message counts as one that comes slowly


class MessageGate:
    """Bounds how many messages come slowly; small ones are there at once, and wait for none of them.

    One more makes room for itself: the request is refused whose message has been coming for the longest time.

    Args:
        most: messages that come slowly.
        seconds: that a message may take.
    """

    def __init__(self, most: int, seconds: float):
        self._most = most
        self._seconds = seconds
        self._slow: dict[asyncio.Timeout, None] = {}  # the oldest first

    async def receive(self, messages: AsyncIterator[bytes]) -> bytes:
        """Returns the message of a request.

        Raises:
            TimeoutError: if it does not come, or others needed its room.
            ServingError: if there is none.
        """
        async with asyncio.timeout(self._seconds) as limit:
            coming = asyncio.ensure_future(_first(messages))
            try:
                await asyncio.wait({coming}, timeout=PATIENCE)
                if not coming.done():
                    self._slow[limit] = None
                    if len(self._slow) > self._most:
                        oldest = next(iter(self._slow))
                        del self._slow[oldest]
                        oldest.reschedule(asyncio.get_running_loop().time())
                return await coming
            finally:
                self._slow.pop(limit, None)
                coming.cancel()


async def _first(messages: AsyncIterator[bytes]) -> bytes:
    async for message in messages:
        return message
    raise invalid("the request has no message; send a PredictRequest")
