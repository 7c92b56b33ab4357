"""Progress of long work, on standard error."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

import keras

from interpnet_tf.support import terminal


class EpochLines(keras.callbacks.Callback):
    """Prints a line an epoch to standard error, and the share of the epoch done where that is a terminal.

    Args:
        title: what is being trained.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = terminal.harmless(title)
        self._began = self._shown = 0.0
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began, self._batches = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        now = time.monotonic()
        if sys.stderr.isatty() and now - self._shown > 0.5:
            self._shown = now
            total = self.params.get("steps") or "?"
            print(f"\r{self.title}: batch {self._batches}/{total} ", end="", file=sys.stderr, flush=True)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        values = " ".join(f"{name} {float(value):.4g}" for name, value in (logs or {}).items())
        seconds = time.monotonic() - self._began
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        print(
            f"{start}{self.title}: epoch {epoch + 1}/{self.params['epochs']}: {values} ({seconds:.1f} s)",
            file=sys.stderr,
        )


class CountLine:
    """Says on standard error how far a work on many items is, and how long the rest will take.

    A terminal sees one line that changes, a file a line every `seconds`.

    Args:
        title: what is being done.
        unit: what is counted.
        seconds: between two lines.
    """

    def __init__(self, title: str, unit: str, seconds: float = 30.0) -> None:
        self.title, self.unit = terminal.harmless(title), unit
        self._began = self._shown = -math.inf
        self._first: int | None = None
        self._seconds = 0.5 if sys.stderr.isatty() else seconds

    def __call__(self, done: int, total: int) -> None:
        """Shows that `done` of `total` are finished."""
        now = time.monotonic()
        if self._first is None:
            # What an earlier call had finished, and the slow first batch, tell nothing about the speed.
            self._first, self._began = done, now
        if done < total and now - self._shown < self._seconds:
            return
        self._shown = now
        rate = (done - self._first) / max(now - self._began, 1e-9)
        rest = f", {rate:.1f}/s, {(total - done) / rate / 60:.0f} min left" if rate and done < total else ""
        line = f"{self.title}: {done}/{total} {self.unit}{rest}"
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="\n" if done == total else "", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)
