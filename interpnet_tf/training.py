"""The paper's schedule, and training that can be interrupted at any moment and resumed."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import keras

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.pipeline import LabelledBatches, SeededBatches
from interpnet_tf.model import InterpNet
from interpnet_tf.optimizers import FusedAdam

CLASSIFIER_RATE = 1e-3
DECODER_RATE = 5e-4


class PaperSchedule(keras.callbacks.Callback):
    """Halves the learning rate when validation does not improve, stops early, brings the best weights back.

    With a directory, the state of the training is written there after every epoch: weights, optimizer, random
    generators, and this schedule. `resume` continues from it as if nothing had happened, provided that the
    order of the batches depends on the number of the epoch only, as with `SeededBatches`.

    Args:
        monitor: the quantity of an epoch's logs that should fall.
        factor: what the learning rate is multiplied by after `patience` epochs without improvement.
        patience: in epochs.
        stop_after: epochs without improvement after which training ends.
        cool_down: for a training of few epochs, too short to wait for a plateau: in so many epochs at its end
            the learning rate is multiplied by `factor` each time, whatever validation says.
        directory: where the checkpoints go; `None` keeps the best weights in memory and nothing on disk.

    Raises:
        ValueError: in training, if the monitored quantity is missing, or not finite before there are weights
            to bring back, or if the directory holds checkpoints that were not resumed.

    Example:

    ```python
    schedule = PaperSchedule(directory="checkpoints")
    model.fit(batches, validation_data=valid, epochs=30, callbacks=[schedule],
              initial_epoch=schedule.resume(model))
    ```

    References:
    - [Barratt 2017, section 4](https://arxiv.org/abs/1710.09511)
    """

    _STATE = ("best", "best_epoch", "waited", "stopped", "history")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.5,
        patience: int = 1,
        stop_after: int = 4,
        cool_down: int = 0,
        directory: str | os.PathLike | None = None,
    ) -> None:
        super().__init__()
        if not 0 < factor < 1:
            raise ValueError(f"factor must lie between 0 and 1, got {factor}")
        if not 1 <= patience <= stop_after:
            raise ValueError(f"1 <= patience <= stop_after must hold, got {patience} and {stop_after}")
        if cool_down < 0:
            raise ValueError(f"cool_down must not be negative, got {cool_down}")
        self.monitor, self.factor, self.patience, self.stop_after = monitor, factor, patience, stop_after
        self.cool_down = cool_down
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
                "fit(initial_epoch=schedule.resume(model)), or choose another directory"
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
        rate = self.model.optimizer.learning_rate
        logs["learning_rate"] = float(keras.ops.convert_to_numpy(rate))
        self.history.append(logs)
        if logs[self.monitor] < self.best:
            self.best, self.best_epoch, self.waited = logs[self.monitor], epoch, 0
            if self.directory is None:
                self._best_weights = self.model.get_weights()
        else:
            self.waited += 1
            self.stopped = diverged or self.waited >= self.stop_after
            self.model.stop_training = self.stopped
        cooling = self.cool_down and epoch + 1 >= self.params["epochs"] - self.cool_down
        if cooling or (self.waited and self.waited % self.patience == 0):
            rate.assign(logs["learning_rate"] * self.factor)
        if self.directory is not None:
            self._write(epoch)

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


def train_classifier(
    classifier: keras.Model,
    train: ExplanationDataset,
    valid: ExplanationDataset,
    epochs: int = 40,
    batch_size: int = 32,
    learning_rate: float = CLASSIFIER_RATE,
    seed: int = 0,
    directory: str | os.PathLike | None = None,
    callbacks: list[Any] | None = None,
    patience: int = 1,
    stop_after: int = 4,
) -> list[dict[str, float]]:
    """Stage 1: trains the classifier with the paper's schedule, and brings the best weights back.

    Args:
        classifier: any Keras classifier whose output is class probabilities.
        train, valid: examples with labels; sentences play no part.
        epochs: the most epochs.
        batch_size: examples a batch.
        learning_rate: of Adam at the start.
        seed: of the order of the examples.
        directory, patience, stop_after: see `PaperSchedule`.
        callbacks: further Keras callbacks, such as one that shows progress.

    Returns:
        One dict an epoch: loss, accuracy, their validation counterparts and the learning rate.
    """
    classifier.compile(FusedAdam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    schedule = PaperSchedule(patience=patience, stop_after=stop_after, directory=directory)
    batches = LabelledBatches(train.inputs, train.labels, batch_size, seed=seed)
    valid_batches = LabelledBatches(valid.inputs, valid.labels, batch_size, shuffle=False)
    return _fit(classifier, batches, valid_batches, schedule, epochs, callbacks)


def train_explainer(
    model: InterpNet,
    train: Any,
    valid: Any,
    epochs: int = 30,
    batch_size: int = 32,
    learning_rate: float = DECODER_RATE,
    directory: str | os.PathLike | None = None,
    callbacks: list[Any] | None = None,
    patience: int = 1,
    stop_after: int = 4,
    cool_down: int = 0,
) -> list[dict[str, float]]:
    """Stage 2: trains the decoder of `model` with the paper's schedule, and brings the best weights back.

    Args:
        model: an `InterpNet` whose classifier is trained.
        train, valid: whatever `InterpNet.fit` takes.
        epochs: the most epochs.
        batch_size: sentences a batch.
        learning_rate: of Adam at the start.
        directory, patience, stop_after, cool_down: see `PaperSchedule`.
        callbacks: further Keras callbacks.

    Returns:
        One dict an epoch: loss, val_loss and the learning rate.
    """
    model.compile(FusedAdam(learning_rate))
    schedule = PaperSchedule(
        patience=patience, stop_after=stop_after, cool_down=cool_down, directory=directory
    )
    batches = model.prepare(train, batch_size=batch_size, shuffle=True)
    valid_batches = model.prepare(valid, batch_size=batch_size)
    return _fit(model, batches, valid_batches, schedule, epochs, callbacks)


def _fit(
    model: keras.Model,
    batches: SeededBatches,
    valid: SeededBatches,
    schedule: PaperSchedule,
    epochs: int,
    callbacks: list[Any] | None,
) -> list[dict[str, float]]:
    first_epoch = schedule.resume(model)
    if schedule.stopped or first_epoch >= epochs:
        schedule.set_model(model)
        schedule.on_train_end()
        return schedule.history
    callbacks = [schedule, *(callbacks or [])]
    if not isinstance(model, InterpNet):
        callbacks.append(batches.follow_epochs())
        batches, valid = batches.to_tf(), valid.to_tf()
    model.fit(
        batches,
        validation_data=valid,
        initial_epoch=first_epoch,
        epochs=epochs,
        callbacks=callbacks,
        verbose=0,
        shuffle=False,
    )
    return schedule.history
