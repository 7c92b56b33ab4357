"""Training that can be interrupted at any moment and resumed, and ends with its best weights."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import keras


class Checkpoints(keras.callbacks.Callback):
    """Brings the best weights back, ends a training that no longer improves, resumes an interrupted one.

    With a directory, the state of the training is written there after every epoch: weights, optimizer, random
    generators, and this callback. `resume` continues from it as if nothing had happened, provided that the
    order of the batches depends on the number of the epoch only, as with `SeededBatches`.

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

        Returns:
            The number of the epoch to go on with, for `fit(initial_epoch=…)`.
        """
        checkpoints = self._checkpoints()
        if not checkpoints:
            return 0
        newest = checkpoints[-1]
        state = json.loads((newest / "state.json").read_text("utf-8"))
        model.optimizer.build(model.trainable_variables)
        model.load_weights(newest / "state.weights.h5")
        for variable, value in zip(_generators(model), state["generators"], strict=True):
            variable.assign(value)
        for name in self._STATE:
            setattr(self, name, state[name])
        return len(self.history)

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
            self.model.load_weights(self._path(self.best_epoch) / "state.weights.h5")

    def _path(self, epoch: int) -> Path:
        return self.directory / f"epoch-{epoch:04d}"

    def _checkpoints(self) -> list[Path]:
        return sorted(self.directory.glob("epoch-????")) if self.directory and self.directory.exists() else []

    def _write(self, epoch: int) -> None:
        temporary = self.directory / "unfinished"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        self.model.save_weights(temporary / "state.weights.h5")
        state = {name: getattr(self, name) for name in self._STATE}
        state["generators"] = [
            keras.ops.convert_to_numpy(variable).tolist() for variable in _generators(self.model)
        ]
        (temporary / "state.json").write_text(json.dumps(state, indent=1), "utf-8")
        temporary.rename(self._path(epoch))
        for checkpoint in self._checkpoints():
            if checkpoint not in (self._path(epoch), self._path(self.best_epoch)):
                shutil.rmtree(checkpoint)


def _generators(model: keras.Model) -> list[Any]:
    """The states of random generators such as Dropout's, which Keras does not save with the weights."""
    return [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]
