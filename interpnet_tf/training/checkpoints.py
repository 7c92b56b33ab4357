"""Training that can be interrupted at any moment and resumed, and ends with its best weights."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Any

import keras

from interpnet_tf.fitting.optimizers import build_optimizer
from interpnet_tf.support import terminal
from interpnet_tf.support.errors import UnreadableFileError, reading
from interpnet_tf.training import training_state


class Checkpoints(keras.callbacks.Callback):
    """Brings the best weights back, ends a training that no longer improves, resumes an interrupted one.

    With a directory, the state of the training is written there after every epoch: weights, optimizer, random
    generators, and this callback. `resume` continues from it as if nothing had happened, provided that the
    order of the batches depends on the number of the epoch only, as with `SeededBatches`. The last two epochs
    are kept, so that one whose file is damaged can be done again, and the best.

    Args:
        monitor: the quantity of an epoch's logs that should fall.
        stop_after: epochs without improvement after which training ends; `None` ends it early only where it
            diverges.
        directory: where the checkpoints go; `None` keeps the best weights in memory and nothing on disk.

    Attributes:
        history: one dict an epoch, its logs with the learning rate at its end.

    Raises:
        ValueError: in training, if the monitored quantity is missing, or not finite before there are weights
            to bring back, or if the directory holds checkpoints that were not resumed.

    Example:

    ```python
    checkpoints = Checkpoints(directory="checkpoints")
    model.fit(batches, validation_data=valid, epochs=30, callbacks=[checkpoints],
              initial_epoch=checkpoints.resume(model))
    ```
    """

    _STATE = ("best", "best_epoch", "waited", "stopped", "history")

    def __init__(
        self,
        monitor: str = "val_loss",
        stop_after: int | None = None,
        directory: str | os.PathLike | None = None,
    ) -> None:
        super().__init__()
        if stop_after is not None and stop_after < 1:
            raise ValueError(f"stop_after must be at least 1, or None, got {stop_after}")
        self.monitor, self.stop_after = monitor, stop_after
        self.directory = None if directory is None else Path(directory)
        self.best, self.best_epoch, self.waited, self.stopped = math.inf, -1, 0, False
        self.history: list[dict[str, float]] = []
        self._best_weights: list[Any] | None = None

    def resume(self, model: keras.Model) -> int:
        """Loads the newest checkpoint of the directory, if there is one, into a compiled model.

        One that is damaged is removed, with a line on standard error, and the one before is taken; the epochs
        after it are done again.

        Returns:
            The number of the epoch to go on with, for `fit(initial_epoch=…)`.

        Raises:
            ValueError: if the checkpoints are those of another model.
        """
        build_optimizer(model)
        for path in reversed(self._checkpoints()):
            try:
                record, arrays = training_state.read(path)
                with reading(path, "the state of a training", "remove it"):
                    state = {name: record[name] for name in self._STATE}
                    best = self._path(state["best_epoch"])
                if best != path:
                    training_state.read(best)
            except (UnreadableFileError, FileNotFoundError) as error:
                terminal.show(f"{error}; going back to the epoch before", sys.stderr)
                path.unlink()
                continue
            training_state.assign(model, arrays, path)
            vars(self).update(state)
            return len(self.history)
        return 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        if self._checkpoints() and not self.history:
            raise ValueError(
                f"directory {str(self.directory)!r} holds checkpoints of another training; continue it with "
                "fit(initial_epoch=checkpoints.resume(model)), or choose another directory"
            )
        if self.stopped:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = {name: float(value) for name, value in (logs or {}).items()}
        if self.monitor not in logs:
            raise ValueError(
                f"monitor {self.monitor!r} is not among {sorted(logs)}; pass validation_data to fit"
            )
        diverged = not math.isfinite(logs[self.monitor])
        if diverged and self.best_epoch < 0:
            raise ValueError(
                f"{self.monitor} is {logs[self.monitor]} after epoch {epoch + 1}: the training has diverged; "
                "choose a smaller learning rate, or look for extreme values in the inputs"
            )
        logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.history.append(logs)
        if logs[self.monitor] < self.best:
            self.best, self.best_epoch, self.waited = logs[self.monitor], epoch, 0
            if self.directory is None:
                self._best_weights = self.model.get_weights()
        else:
            self.waited += 1
            self.stopped = diverged or (self.stop_after is not None and self.waited >= self.stop_after)
            self.model.stop_training = self.stopped
        self.set_rate(epoch, logs["learning_rate"])
        if self.directory is not None:
            self._write(epoch)

    def set_rate(self, epoch: int, rate: float) -> None:
        """Sets the learning rate of the next epoch, before the checkpoint is written; by default it stays.

        Args:
            epoch: number of the epoch that has ended.
            rate: its learning rate.
        """

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        if self._best_weights is not None:
            self.model.set_weights(self._best_weights)
        elif self.best_epoch >= 0 and self.directory is not None:
            path = self._path(self.best_epoch)
            training_state.assign(self.model, training_state.read(path)[1], path)

    def _path(self, epoch: int) -> Path:
        return self.directory / f"epoch-{epoch:04d}.npz"

    def _checkpoints(self) -> list[Path]:
        return sorted(self.directory.glob("epoch-????.npz")) if self.directory else []

    def _write(self, epoch: int) -> None:
        state = {name: getattr(self, name) for name in self._STATE}
        training_state.write(self._path(epoch), self.model, state)
        kept = {self._path(number) for number in (epoch, epoch - 1, self.best_epoch, self._best_before())}
        for checkpoint in self._checkpoints():
            if checkpoint not in kept:
                checkpoint.unlink()

    def _best_before(self) -> int:
        """Returns the best epoch as it was an epoch ago."""
        values = [logs[self.monitor] for logs in self.history[:-1]]
        return values.index(min(values)) if values else -1
