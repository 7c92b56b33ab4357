"""HTTP connections that cannot be held for ever, nor by too many."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import math
import os
import socket
import time
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

AT_ONCE = 128  # connections that are taken in one go, before any can be closed
BACKLOG = 1024  # connections that wait in the system until they are taken
ORDER = {"headers": 3, "request": 2, "answer": 2, "idle": 1}  # the highest goes first to make room


@dataclasses.dataclass(frozen=True)
class ConnectionLimits:
    """What a client may take.

    Attributes:
        most: connections at a time. One more makes room for itself: the connection is closed that has waited
            longest for its headers, or else for the rest of a request or for its answer to be read, or else
            for the next request.
        header_seconds: from the first byte of a request, or of the connection, to the end of its headers.
        request_seconds: from there until the answer is on its way.
        answer_seconds: from there until the client has read the answer.
    """

    most: int = 256
    header_seconds: float = 10.0
    request_seconds: float = 60.0
    answer_seconds: float = 60.0

    def within_file_limit(self) -> ConnectionLimits:
        """Returns limits that leave as many file descriptors to the rest of the process."""
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource

            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            wanted = 4 * self.most
            if soft < wanted:
                soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            room = soft - len(os.listdir("/proc/self/fd"))
            return dataclasses.replace(self, most=max(1, min(self.most, room // 2)))
        return self


_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)


class Connection(H11Protocol):
    """A connection of uvicorn's that knows since when it waits for its client."""

    limits = ConnectionLimits()  # `BoundedServer` makes a class with its own

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Takes the connection, and closes another if there are too many."""
        super().connection_made(transport)
        self._phase: tuple[str, Any] = ("headers", None)
        self._since = time.monotonic()
        if len(self.connections) > self.limits.most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Reads on, and notes where in a request that leads."""
        super().data_received(data)
        self._note_phase()

    def on_response_complete(self) -> None:
        """Waits for the next request."""
        super().on_response_complete()
        self._note_phase()

    def close_if_late(self) -> None:
        """Closes the connection if its client has taken too long."""
        self._note_phase()
        name, _ = self._phase
        allowed = {
            "headers": self.limits.header_seconds,
            "request": self.limits.request_seconds,
            "answer": self.limits.answer_seconds,
            "idle": math.inf,  # uvicorn closes it
        }
        if self._seconds() > allowed[name]:
            self.transport.abort()

    def _note_phase(self) -> None:
        """Notes what the connection waits for, and since when."""
        if self.cycle is not None and not self.cycle.response_complete:
            name = "request"
        elif self.transport.get_write_buffer_size():
            name = "answer"
        else:
            name = "headers" if self.timeout_keep_alive_task is None else "idle"
        if (name, self.cycle) != self._phase:
            self._phase, self._since = (name, self.cycle), time.monotonic()

    def _seconds(self) -> float:
        return time.monotonic() - self._since

    def _make_room(self) -> None:
        """Closes the connection that can best be done without: this one if all others are at work."""

        now = time.monotonic()

        def rank(connection: Connection) -> tuple[bool, int, float]:
            name, cycle = connection._phase
            if name == "request" and not cycle.more_body:
                return False, 0, 0.0  # the server is at work for it
            waited = now - connection._since
            return waited > 1, ORDER[name], waited

        victim = max(self.connections - {self}, key=rank, default=self)
        if victim is self or rank(victim)[1] == 0:
            victim = self
            self.transport.write(_BUSY)
            self.transport.close()
        else:
            victim.transport.abort()
        self.connections.discard(victim)


class BoundedServer(uvicorn.Server):
    """uvicorn's server with bounds on its connections.

    Args:
        config: of uvicorn; its protocol is replaced.
        limits: of the connections.
    """

    def __init__(self, config: uvicorn.Config, limits: ConnectionLimits | None = None):
        limits = (limits or ConnectionLimits()).within_file_limit()
        config.http = type("Connection", (Connection,), {"limits": limits})
        config.ws = "none"
        config.backlog = AT_ONCE
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to take connections."""
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(BACKLOG)  # asyncio makes what it takes in one go the length of this queue, too

    async def on_tick(self, counter: int) -> bool:
        """Closes, every tenth of a second, what is late."""
        for connection in list(self.server_state.connections):
            connection.close_if_late()
        return await super().on_tick(counter)

    async def let_go(self, seconds: float) -> None:
        """Waits until kept connections are gone: answered once more, or idle for too long."""
        end = time.monotonic() + min(seconds, self.config.timeout_keep_alive)
        while self.server_state.connections and time.monotonic() < end:
            await asyncio.sleep(0.02)
