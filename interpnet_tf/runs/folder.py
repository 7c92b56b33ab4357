"""Run folders: everything that one training run is, leaves behind and can be continued from."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from interpnet_tf import classifiers
from interpnet_tf.attribution.reason_scores import concepts_of
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.model import InterpNet, load
from interpnet_tf.runs.config import RunConfig, read_config
from interpnet_tf.runs.data_check import check_class_names, check_classifier, check_data
from interpnet_tf.runs.sentence_source import keep_source
from interpnet_tf.support.atomic import replacing, write_atomically
from interpnet_tf.support.keras_files import read_model
from interpnet_tf.training.reason_training import train_reasons
from interpnet_tf.training.stages import train_classifier, train_explainer


def train(
    config: RunConfig,
    out: str | os.PathLike,
    resume: bool = False,
    callbacks: dict[str, list] | None = None,
    splits: tuple[ExplanationDataset, ExplanationDataset] | None = None,
    r: tuple[np.ndarray, np.ndarray] | None = None,
) -> InterpNet:
    """Trains classifier and explainer, and writes the run folder.

    The folder holds `config.json`, `model.keras`, `tokenizer.json` and `history.csv`; while the training
    lasts, checkpoints; of sentences that people did not write, `sentences.json` and what made them.

    Args:
        config: what to train.
        out: the folder to write; it must not exist unless `resume` is set.
        resume: go on with a run that was interrupted, from its last finished epoch; a finished run is
            read as it is.
        callbacks: Keras callbacks for the stages `"classifier"`, `"explainer"` and `"reasons"`.
        splits: training and validation data of the config, where they are at hand; else they are loaded.
        r: r(x) of both under `config.classifier`, where it is at hand, see `InterpNet.prepare`.

    Returns:
        The trained model.

    Raises:
        ValueError: if the config does not fit the data.
        FileExistsError: if `out` exists and `resume` is not set.
    """
    out, callbacks = Path(out), callbacks or {}
    if out.exists() and not resume:
        raise FileExistsError(f"{out} exists; continue it with --resume, or choose another --out")
    checkpoints = out / "checkpoints"
    if (out / "model.keras").exists():
        shutil.rmtree(checkpoints, ignore_errors=True)  # of a run that was killed at its very end
        return load(out / "model.keras")
    train_data, valid_data = splits or (config.load("train"), config.load("validation"))
    trains_classifier = config.classifier is None and config.explainer is None
    check_data(train_data, f"the train split of {config.data!r}", trains_classifier)
    check_data(valid_data, f"the validation split of {config.data!r}", trains_classifier)
    keras.utils.set_random_seed(config.seed)
    model, learn = _explainer(config, train_data, valid_data, checkpoints, callbacks, r)
    if config.reason_epochs:
        concepts_of(train_data.explained())
    # From here on nothing is refused any more that could be known before a training.
    write_atomically(out / "config.json", json.dumps(dataclasses.asdict(config), indent=1) + "\n")
    keep_source(out, config.data, train_data)
    history = learn()
    if config.reason_epochs:
        history["reasons"] = train_reasons(
            model,
            train_data,
            valid_data,
            epochs=config.reason_epochs,
            seed=config.seed,
            directory=checkpoints / "reasons",
            callbacks=callbacks.get("reasons"),
        )
    model.tokenizer.save(out / "tokenizer.json")
    _write_history(out / "history.csv", history)
    model.save(out / "model.keras")
    shutil.rmtree(checkpoints)
    return model


def _explainer(
    config: RunConfig,
    train_data: ExplanationDataset,
    valid_data: ExplanationDataset,
    checkpoints: Path,
    callbacks: dict[str, list],
    r: tuple[np.ndarray, np.ndarray] | None,
) -> tuple[InterpNet, Callable[[], dict[str, list[dict[str, float]]]]]:
    """Returns the explainer of a run, and what trains it and returns the history of each stage."""
    if config.explainer is not None:
        _, model = read(config.explainer)
        check_classifier(model.classifier, train_data, repr(config.data))
        check_class_names(model.class_names, train_data, repr(config.data))
        return model, dict
    tokenizer = ExplanationTokenizer(minimum_count=config.minimum_count).adapt(train_data.explanations)
    classifier, *parts = _classifier_parts(config, train_data)
    model = _untrained_explainer(config, classifier, tokenizer, train_data.class_names)

    def learn() -> dict[str, list[dict[str, float]]]:
        directory, observers = checkpoints / "classifier", callbacks.get("classifier")
        of_classifier = _train_head(config, *parts, train_data, valid_data, directory, observers)
        train_r, valid_r = r or (None, None)
        of_explainer = train_explainer(
            model,
            model.prepare(train_data, batch_size=config.batch_size, shuffle=True, r=train_r),
            model.prepare(valid_data, batch_size=config.batch_size, r=valid_r),
            epochs=config.epochs,
            learning_rate=config.learning_rate,
            cool_down=config.cool_down,
            schedule=config.schedule,
            warmup_epochs=config.warmup_epochs,
            label_smoothing=config.label_smoothing,
            directory=checkpoints / "explainer",
            callbacks=callbacks.get("explainer"),
        )
        return {"classifier": of_classifier, "explainer": of_explainer}

    return model, learn


def classifier_of(
    config: RunConfig,
    train_data: ExplanationDataset,
    valid_data: ExplanationDataset,
    directory: str | os.PathLike,
    callbacks: list[Any] | None = None,
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Trains the classifier of a run, or reads the one that its config names.

    Args:
        config: of the run.
        train_data, valid_data: of the config.
        directory: where the checkpoints go; a training that was interrupted is resumed from it.
        callbacks: Keras callbacks.

    Returns:
        The classifier, and its history as `train_classifier` returns it, empty for one that was read.
    """
    classifier, *parts = _classifier_parts(config, train_data)
    return classifier, _train_head(config, *parts, train_data, valid_data, directory, callbacks)


def _classifier_parts(
    config: RunConfig, dataset: ExplanationDataset
) -> tuple[keras.Model, keras.Model | None, keras.Model | None]:
    """Returns the classifier of a run, the part of it to be trained, and the backbone in front of that."""
    if config.classifier is not None:
        classifier = _read_classifier(config.classifier)
        check_classifier(classifier, dataset, repr(config.data))
        return classifier, None, None
    hidden, classes = classifiers.HIDDEN_LAYERS[config.variant], len(dataset.class_names)
    options = {"dropout": config.classifier_dropout, "seed": config.seed}
    if isinstance(dataset.inputs, dict):
        if config.backbone is not None:
            raise ValueError("backbone is for pictures, but the data are a table; leave it out")
        head = classifiers.table_mlp(dataset.inputs, classes, hidden, **options)
        return head, head, None
    backbone, shape = None, dataset.inputs.shape[1:]
    if config.backbone is not None:
        backbone = classifiers.feature_extractor(_read_classifier(config.backbone))
        shape = backbone.output_shape[1:]
    if len(shape) == 1:
        head = classifiers.mlp(shape[0], classes, hidden, **options)
    else:
        head = classifiers.small_cnn(shape, classes, hidden, **options)
    return (classifiers.join(backbone, head) if backbone else head), head, backbone


def _train_head(
    config: RunConfig,
    head: keras.Model | None,
    backbone: keras.Model | None,
    train_data: ExplanationDataset,
    valid_data: ExplanationDataset,
    directory: str | os.PathLike,
    callbacks: list[Any] | None,
) -> list[dict[str, float]]:
    """Trains what of a classifier is to be trained, and returns the history."""
    if head is None:
        return []
    if backbone is not None:
        train_data, valid_data = (
            dataclasses.replace(part, inputs=backbone.predict(part.inputs, verbose=0))
            for part in (train_data, valid_data)
        )
    return train_classifier(
        head,
        train_data,
        valid_data,
        epochs=config.classifier_epochs,
        batch_size=config.batch_size,
        seed=config.seed,
        directory=directory,
        callbacks=callbacks,
    )


def read(run: str | os.PathLike) -> tuple[RunConfig, InterpNet]:
    """Returns config and model of a finished run.

    Raises:
        FileNotFoundError: if `run` is not the folder of a finished run.
    """
    config = read_config(run)
    path = Path(run) / "model.keras"
    if not path.exists():
        raise FileNotFoundError(
            f"{run} is not finished; continue it with: interpnet train --resume --out {run}"
        )
    return config, load(path)


def _read_classifier(path: str) -> keras.Model:
    """Returns the classifier of a run folder, or the one that a `.keras` file holds."""
    if not path.endswith(".keras"):
        return read(path)[1].classifier
    model = read_model(path, compile=False)
    return model.classifier if isinstance(model, InterpNet) else model


def _untrained_explainer(
    config: RunConfig, classifier: keras.Model, tokenizer: ExplanationTokenizer, class_names: list[str]
) -> InterpNet:
    return InterpNet(
        classifier,
        tokenizer,
        layers=config.r_layers,
        decoder=config.decoder_of(tokenizer.vocabulary_size),
        max_length=config.max_length,
        class_names=class_names,
        seed=config.seed,
        output=config.output,
    )


def read_history(run: str | os.PathLike) -> dict[str, dict[str, list[float]]]:
    """Reads the course of a run's training.

    Args:
        run: the folder.

    Returns:
        For each stage what Keras' `History.history` holds, by name, one number an epoch; nan where one was
        not finite. Nothing where the run has no `history.csv`.
    """
    path = Path(run) / "history.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    history: dict[str, dict[str, list[float]]] = {}
    for stage in dict.fromkeys(row["stage"] for row in rows):
        of_stage = [row for row in rows if row["stage"] == stage]
        history[stage] = {
            name: [float(row[name] or "nan") for row in of_stage]
            for name in rows[0]
            if name not in ("stage", "epoch") and any(row[name] for row in of_stage)
        }
    return history


def _write_history(path: Path, stages: dict[str, list[dict[str, float]]]) -> None:
    columns = ["stage", "epoch", "loss", "val_loss", "accuracy", "val_accuracy", "learning_rate"]
    columns += ["reward", "val_reward", "val_objective"]
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for stage, epochs in stages.items():
            for epoch, logs in enumerate(epochs, start=1):
                rounded = {name: f"{value:.6g}" for name, value in logs.items() if math.isfinite(value)}
                writer.writerow({"stage": stage, "epoch": epoch, **rounded})
