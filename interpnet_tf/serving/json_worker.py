"""The process that reads large JSON for the server, in bounded memory.

Python's JSON reader lets no other thread run, and three bytes of JSON may take a hundred of memory. Here
both hurt nobody else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from types import SimpleNamespace
from typing import Any

import grpc

from interpnet_tf.serving import frames, json_tensors
from interpnet_tf.serving.errors import ServingError
from interpnet_tf.serving.specs import TensorSpec, check_names


@dataclasses.dataclass
class _Inputs:
    """The inputs of a signature, as the server describes them."""

    name: str
    inputs: dict[str, TensorSpec]

    @classmethod
    def described(cls, name: str, specs: list[Any]) -> _Inputs:
        return cls(
            name,
            {
                key: TensorSpec(key, "", SimpleNamespace(name=dtype), None if shape is None else tuple(shape))
                for key, dtype, shape in specs
            },
        )

    def check_names(self, names: set[str]) -> None:
        check_names(names, self.name, self.inputs)


def main(most_bytes: int) -> None:
    """Answers requests from the standard input until it ends.

    A request with a body is answered with the signature that it asks for and its form; the one that follows
    describes that signature, and is answered with the arrays.

    Args:
        most_bytes: of memory to take beyond what an idle process has.
    """
    _limit_memory(most_bytes)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    document: dict[str, Any] = {}
    with contextlib.suppress(EOFError):
        while True:
            head, parts = frames.read(requests)
            try:
                if "signature" in head:
                    arrays = json_tensors.read_inputs(document, _Inputs.described(*head["signature"]))
                    document = {}
                    described, buffers = frames.pack(arrays)
                    del arrays
                    frames.write(answers, {"arrays": described}, buffers)
                else:
                    document = {}
                    document = json_tensors.parse(parts.pop())
                    frames.write(answers, json_tensors.wish(document))
            except ServingError as error:
                frames.write(answers, {"error": error.message, "code": error.code.name})
            except MemoryError:
                document = {}
                text = (
                    f"reading this JSON takes more than {most_bytes} bytes of memory; send less, or use gRPC"
                )
                code = grpc.StatusCode.RESOURCE_EXHAUSTED
                frames.write(answers, {"error": text, "code": code.name, "http_status": 413})


def _limit_memory(most_bytes: int) -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # not every system has such a limit
        import resource

        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (now + most_bytes, hard))
