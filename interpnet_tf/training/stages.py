"""Training of the two stages: the classifier, then its explainer."""

from __future__ import annotations

import os
from typing import Any

import keras

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.pipeline import LabelledBatches, MixedBatches, SeededBatches
from interpnet_tf.data.sentence_batches import SentenceBatches
from interpnet_tf.fitting.optimizers import FusedAdam
from interpnet_tf.model import InterpNet
from interpnet_tf.training.checkpoints import Checkpoints
from interpnet_tf.training.schedules import SCHEDULES, PaperSchedule, warmup_cosine

CLASSIFIER_RATE = 1e-3
DECODER_RATE = 5e-4


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
    mixup: float = 0.0,
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
        mixup: learn from blends of two examples, see `MixedBatches`; 0 does not. With dropout in the
            classifier it helps where long feature vectors of few images are learnt by heart.

    Returns:
        One dict an epoch: loss, accuracy, their validation counterparts and the learning rate.
    """
    schedule = PaperSchedule(patience=patience, stop_after=stop_after, directory=directory)
    loss = "sparse_categorical_crossentropy"
    batches = LabelledBatches(train.inputs, train.labels, batch_size, seed=seed)
    valid_batches = LabelledBatches(valid.inputs, valid.labels, batch_size, shuffle=False)
    if mixup:
        loss, classes = "categorical_crossentropy", classifier.output_shape[-1]
        batches = MixedBatches(train.inputs, train.labels, classes, mixup, batch_size, seed=seed)
        valid_batches = MixedBatches(valid.inputs, valid.labels, classes, 0.0, batch_size, shuffle=False)
    classifier.compile(FusedAdam(learning_rate), loss, metrics=["accuracy"])
    return fit_resumable(classifier, batches, valid_batches, schedule, epochs, callbacks)


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
    schedule: str = "paper",
    warmup_epochs: float = 0.0,
    label_smoothing: float = 0.0,
) -> list[dict[str, float]]:
    """Stage 2: trains the decoder of `model`, and brings the best weights back.

    Args:
        model: an `InterpNet` whose classifier is trained.
        train, valid: whatever `InterpNet.fit` takes; `batch_size` is theirs where they are batches.
        epochs: the most epochs.
        batch_size: sentences a batch.
        learning_rate: of Adam at the start with the paper's schedule, at its highest with the cosine.
        directory: where the checkpoints go, see `Checkpoints`.
        callbacks: further Keras callbacks.
        patience, stop_after, cool_down: of the paper's schedule, see `PaperSchedule`.
        schedule: `"paper"`, or `"cosine"`, see `schedules.warmup_cosine`. The cosine runs through all epochs,
            unless the training diverges: a plateau at a high rate is not the end, and only the last epochs
            have a low one. A training that is resumed must have the same `epochs`.
        warmup_epochs: over which the cosine's rate rises, such as 0.5 for half the first epoch.
        label_smoothing: see `InterpNet.compile`; `val_loss` is without it.

    Returns:
        One dict an epoch: loss, val_loss and the learning rate at its end.

    Raises:
        ValueError: if an argument is out of its range, or belongs to the other schedule.
    """
    check_schedule(schedule, epochs, cool_down, warmup_epochs)
    if not isinstance(train, SentenceBatches):
        train = model.prepare(train, batch_size=batch_size, shuffle=True)
    if not isinstance(valid, SentenceBatches):
        valid = model.prepare(valid, batch_size=batch_size)
    if schedule == "paper":
        checkpoints: Checkpoints = PaperSchedule(
            patience=patience, stop_after=stop_after, cool_down=cool_down, directory=directory
        )
        rate: Any = learning_rate
    else:
        checkpoints = Checkpoints(directory=directory)
        rate = warmup_cosine(learning_rate, epochs * len(train), int(warmup_epochs * len(train)))
    model.compile(FusedAdam(rate), label_smoothing)
    return fit_resumable(model, train, valid, checkpoints, epochs, callbacks)


def check_schedule(schedule: str, epochs: int, cool_down: int, warmup_epochs: float) -> None:
    """Raises a `ValueError` unless these arguments of `train_explainer` go together."""
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule must be one of {list(SCHEDULES)}, got {schedule!r}")
    if not 0 <= warmup_epochs < epochs:
        raise ValueError(
            f"warmup_epochs must be at least 0 and less than epochs={epochs}, got {warmup_epochs}"
        )
    if schedule == "paper" and warmup_epochs:
        raise ValueError(f"warmup_epochs needs schedule 'cosine', got {warmup_epochs} with 'paper'")
    if schedule == "cosine" and cool_down:
        raise ValueError(f"cool_down needs schedule 'paper', got {cool_down} with 'cosine'")


def fit_resumable(
    model: keras.Model,
    batches: SeededBatches,
    valid: SeededBatches,
    checkpoints: Checkpoints,
    epochs: int,
    callbacks: list[Any] | None,
) -> list[dict[str, float]]:
    """Fits a compiled model, from the newest of the checkpoints on where there are some.

    Args:
        model: an `InterpNet`, or any Keras model.
        batches, valid: what it learns from, and is validated with.
        checkpoints: bring the best weights back.
        epochs: the most epochs, those before an interruption included.
        callbacks: further Keras callbacks.

    Returns:
        One dict an epoch.
    """
    first_epoch = checkpoints.resume(model)
    if checkpoints.stopped or first_epoch >= epochs:
        checkpoints.set_model(model)
        checkpoints.on_train_end()
        return checkpoints.history
    callbacks = [checkpoints, *(callbacks or [])]
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
    return checkpoints.history
