"""A bound on the bytes that all requests together hold in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import grpc

from interpnet_tf.serving.errors import ServingError

# So much of each request is free: small ones are always taken, and their number is bounded elsewhere.
FREE = 2**16
# So many of the largest bodies, or as much in smaller ones, may be held at a time by each API.
BODIES = 4


class Budget:
    """Bytes that requests may hold at a time.

    Args:
        most_bytes: of all requests, beyond the first `FREE` of each.
    """

    def __init__(self, most_bytes: int):
        self.most_bytes = most_bytes
        self.held = 0

    @contextlib.contextmanager
    def request(self) -> Iterator[Callable[[int], None]]:
        """Accounts for one request until the block ends.

        Yields:
            A function to be told how many bytes the request has now. It raises a ServingError if that is too
            much beside the others.
        """
        mine = 0

        def grow(size: int) -> None:
            nonlocal mine
            more = max(0, size - FREE) - mine
            if self.held + more > self.most_bytes:
                raise ServingError(
                    grpc.StatusCode.UNAVAILABLE,
                    f"the requests at work hold {self.held} bytes, and {self.most_bytes} may be held; "
                    "try again later",
                )
            self.held += more
            mine += more

        try:
            yield grow
        finally:
            self.held -= mine
