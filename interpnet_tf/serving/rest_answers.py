"""How answers leave the server: as fast as clients read, and the last one marked as such."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECE = 2**16


class PiecewiseResponse(Response):
    """An answer that goes out as fast as its client reads, and is accounted for until then.

    Args:
        body: JSON.
        holding: closed when the body is no longer needed.
    """

    def __init__(self, body: bytes, holding: contextlib.ExitStack):
        super().__init__(body, media_type="application/json")
        self._holding = holding

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        with self._holding:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            view = memoryview(self.body)
            for begin in range(0, len(view), PIECE):
                piece = bytes(view[begin : begin + PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


class LastAnswers:
    """Tells clients, once the server is about to stop, that an answer is the last on its connection.

    Without, a client sends its next request on a connection that is being closed, and sees it reset.
    """

    def __init__(self, application: ASGIApp, is_draining: Callable[[], bool]):
        self._application = application
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application."""

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._is_draining():
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._application(scope, receive, send_last)
