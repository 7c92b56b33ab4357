"""Reads the bodies of requests without holding others up."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np

from interpnet_tf.serving import frames, json_tensors
from interpnet_tf.serving.errors import ServingError
from interpnet_tf.serving.specs import Inputs

# Bodies up to this many bytes are read at once: a few milliseconds at the most.
SMALL = 2**16
# Bodies up to this many bytes have a process of their own, so that they never wait for a larger one.
MIDDLE = 2**21
# A process may take so many bytes for each of the largest body.
FACTOR = 16
LONGEST_SECONDS = 60.0

FindSignature = Callable[[str], Inputs]
Read = tuple[str, Any, dict[str, np.ndarray]]


class JsonReader:
    """Turns JSON into arrays: small bodies here and now, larger ones in one of two other processes.

    Args:
        max_body_bytes: of the largest body.
    """

    def __init__(self, max_body_bytes: int):
        self._lanes = [(limit, _Process(FACTOR * limit + 2**28)) for limit in (MIDDLE, max_body_bytes)]

    async def read(self, body: bytes, find: FindSignature) -> Read:
        """Reads a body.

        Args:
            body: of a `:predict` request.
            find: returns the signature of a name; called in another thread.

        Returns:
            The form of the request, the signature that it asks for, and an array an input.

        Raises:
            ServingError: if it is not what the signature reads.
        """
        if len(body) <= SMALL:
            document = json_tensors.parse(body)
            wish = json_tensors.wish(document)
            signature = find(wish["name"])
            return wish["form"], signature, json_tensors.read_inputs(document, signature)
        lane = next((process for limit, process in self._lanes if len(body) <= limit), self._lanes[-1][1])
        return await lane.read(body, find)

    def close(self) -> None:
        """Ends the processes."""
        for _, process in self._lanes:
            process.close()


class _Process:
    """A process that reads one body at a time, started when the first comes."""

    def __init__(self, most_bytes: int):
        self._most_bytes = most_bytes
        self._process: subprocess.Popen | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="json")

    async def read(self, body: bytes, find: FindSignature) -> Read:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, body, find)

    def close(self) -> None:
        self._thread.submit(self._end)
        self._thread.shutdown()

    def _read(self, body: bytes, find: FindSignature) -> Read:
        try:
            process = self._started()
            timer = threading.Timer(LONGEST_SECONDS, process.kill)
            timer.daemon = True
            timer.start()
            try:
                return self._exchange(process, body, find)
            finally:
                timer.cancel()
        except (OSError, EOFError) as error:
            self._end()
            raise ServingError(
                grpc.StatusCode.UNAVAILABLE,
                f"the body could not be read ({error}); send less in a request, or try again later",
            ) from error

    def _exchange(self, process: subprocess.Popen, body: bytes, find: FindSignature) -> Read:
        frames.write(process.stdin, {}, [body])
        wish, _ = _answer(process)
        signature = find(wish["name"])
        specs = [(name, spec.dtype.name, spec.shape) for name, spec in signature.inputs.items()]
        frames.write(process.stdin, {"signature": [signature.name, specs]})
        head, parts = _answer(process)
        return wish["form"], signature, frames.unpack(head["arrays"], parts)

    def _started(self) -> subprocess.Popen:
        if self._process is None or self._process.poll() is not None:
            self._end()
            program = (
                f"import sys; sys.path[:] = {sys.path!r}\n"
                f"from interpnet_tf.serving.json_worker import main; main({self._most_bytes})"
            )
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the server, which ends it once it has drained
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()


def _answer(process: subprocess.Popen) -> tuple[dict[str, Any], list[bytes]]:
    head, parts = frames.read(process.stdout)
    if "error" in head:
        raise ServingError(grpc.StatusCode[head["code"]], head["error"], head.get("http_status"))
    return head, parts
