"""Progress of long work, on standard error."""

from __future__ import annotations

import sys
import time
from typing import Any

import keras


class EpochLines(keras.callbacks.Callback):
    """Prints a line an epoch to standard error, and the share of the epoch done where that is a terminal.

    Args:
        title: what is being trained.
        epochs: the most epochs.
    """

    def __init__(self, title: str, epochs: int) -> None:
        super().__init__()
        self.title, self.epochs = title, epochs
        self._began = self._shown = 0.0
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began, self._batches = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        now = time.monotonic()
        if sys.stderr.isatty() and now - self._shown > 0.5:
            self._shown = now
            total = (self.params or {}).get("steps")
            print(
                f"\r{self.title}: batch {self._batches}/{total or '?'} ", end="", file=sys.stderr, flush=True
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        values = " ".join(f"{name} {float(value):.4g}" for name, value in (logs or {}).items())
        seconds = time.monotonic() - self._began
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        print(
            f"{start}{self.title}: epoch {epoch + 1}/{self.epochs}: {values} ({seconds:.1f} s)",
            file=sys.stderr,
        )
