"""Errors that a client is told about, under the codes of TensorFlow Serving."""

from __future__ import annotations

import logging
import re
from typing import Any

import grpc

log = logging.getLogger(__name__)

CODES = {code.value[0]: code for code in grpc.StatusCode}

# http_server.cc of TensorFlow Serving translates its codes so.
HTTP_STATUS = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}

# A gRPC client takes 8 KiB of metadata by default, the message among it, which takes three bytes for each
# that is not ASCII.
LONGEST_MESSAGE = 1000


class ServingError(Exception):
    """A request that fails, with the code and the message that the client gets.

    Args:
        code: of gRPC; REST translates it with `HTTP_STATUS`.
        message: what was wrong and what to do. What UTF-8 cannot carry is escaped, and a long text is cut.
        http_status: where REST has a status of its own (413, 408).
    """

    def __init__(self, code: grpc.StatusCode, message: str, http_status: int | None = None):
        self.code = code
        self.message = carried(message)
        self.http_status = http_status or HTTP_STATUS.get(code, 500)
        super().__init__(self.message)


def carried(message: str) -> str:
    """Returns a text as UTF-8 can carry it, and no longer than a client will take."""
    text = message[: LONGEST_MESSAGE + 1].encode("utf-8", "backslashreplace")
    if len(text) <= LONGEST_MESSAGE:
        return text.decode()
    return text[: LONGEST_MESSAGE - 3].decode("utf-8", "ignore") + "…"


def invalid(message: str) -> ServingError:
    """Returns an error that blames the request."""
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, message)


def from_exception(error: Exception) -> ServingError:
    """Translates what a request ran into; an error of the server's own is logged and not shown.

    What is returned has no traceback. In a frame that its traceback names, it would hold all that the request
    had in memory until Python looks for cycles.
    """
    import tensorflow as tf  # takes seconds; the process that reads JSON needs none of it

    if isinstance(error, ServingError):
        return ServingError(error.code, error.message, error.http_status)
    if isinstance(error, TimeoutError):
        return ServingError(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            "the request took too long; send fewer rows, or try again later",
        )
    if isinstance(error, tf.errors.OpError):
        hint = ""
        if any(word in error.message for word in ("Decode", "JPEG", "PNG")):
            hint = ' Send whole JPEG or PNG files; in JSON as {"b64": "…"}, base64 of the bytes of the file.'
        return ServingError(
            CODES[error.error_code], f"the model cannot run on this input: {_reason(error)}{hint}"
        )
    log.error("a request failed in the server", exc_info=error)
    return ServingError(grpc.StatusCode.INTERNAL, "the server failed; its log says why")


def _reason(error: Any) -> str:
    """Returns the line of TensorFlow's message that says what was wrong, without where in the graph."""
    for line in error.message.splitlines():
        text = re.sub(r"^\s*\(\d+\) [A-Z_]+: ", "", line).strip()
        if text and not re.search(r"^Graph execution error|root error\(s\) found|^Detected at node", text):
            return text
    return type(error).__name__
