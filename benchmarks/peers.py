"""A process for each library that is compared: they do not share memory, threads or crashes.

PyTorch brings triton, whose import after TensorFlow ends the process with a segmentation fault, and two
libraries in one process wake each other's threads. So every contender is built and timed in a process of its
library; the processes take turns, and the one that does not run sleeps.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

Run = Callable[[int], Any]
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def pytorch_unavailable(*packages: str) -> str | None:
    """Returns what to install where PyTorch or one of `packages` is missing; imports nothing."""
    needed = ("torch", *packages)
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    return f"This benchmark compares with PyTorch: pip install {' '.join(needed)}" if missing else None


class Process:
    """A process that builds contenders and times them.

    Args:
        start: function without arguments that the process calls first, such as one that sets threads.
        clock: `"wall"` or `"cpu"`, by which a run is timed.
    """

    def __init__(self, start: Callable[[], Any], clock: str = "wall") -> None:
        context = multiprocessing.get_context("spawn")  # a fork would inherit TensorFlow
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, start, clock), daemon=True)
        self._process.start()
        other.close()

    def build(self, make: Callable[..., Run], *args: Any, **options: Any) -> Callable[[int], float]:
        """Builds a contender there.

        Args:
            make: a function of a module, or a `functools.partial` of one, that returns what is to be timed.
            *args, **options: of `make`.

        Returns:
            What runs it once, given the number of the round, and returns the seconds that it took.
        """
        index = self._ask("build", functools.partial(make, *args, **options))
        return lambda number: self._ask("run", index, number)

    def call(self, function: Callable[[], Any]) -> Any:
        """Returns what a function of a module returns there."""
        return self._ask("call", function)

    def drop(self) -> None:
        """Forgets every contender, and the memory it holds."""
        self._ask("drop")

    def close(self) -> None:
        """Ends the process."""
        self._connection.close()
        self._process.join(10)
        self._process.kill()

    def _ask(self, *question: Any) -> Any:
        try:
            self._connection.send(question)
            answer = self._connection.recv()
        except EOFError:
            self._process.join(10)
            raise ChildProcessError(f"a benchmark's process ended with {self._process.exitcode}") from None
        if isinstance(answer, BaseException):
            raise answer
        return answer


@contextlib.contextmanager
def processes(starts: dict[str, Callable[[], Any]], clock: str = "wall") -> Iterator[dict[str, Process]]:
    """Gives a `Process` for each name in `starts`, and ends them.

    Args:
        starts: by name, what a process calls first.
        clock: see `Process`.
    """
    with contextlib.ExitStack() as stack:
        running = {}
        for name, start in starts.items():
            running[name] = Process(start, clock)
            stack.callback(running[name].close)
        yield running


def _serve(connection: Connection, start: Callable[[], Any], clock: str) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    runs: list[Run] = []
    start()
    while True:
        try:
            kind, *arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send(_answer(runs, CLOCKS[clock], kind, *arguments))
        except Exception as error:
            connection.send(ChildProcessError(f"{type(error).__name__}: {error}"))


def _answer(runs: list[Run], clock: Callable[[], float], kind: str, *arguments: Any) -> Any:
    if kind == "build":
        runs.append(arguments[0]())
        return len(runs) - 1
    if kind == "run":
        index, number = arguments
        begin = clock()
        runs[index](number)
        return clock() - begin
    if kind == "drop":
        return runs.clear()
    return arguments[0]()
