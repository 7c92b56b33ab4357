"""Run folders: everything that one training run is, leaves behind and can be continued from."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np

from interpnet_tf import classifiers, decoders
from interpnet_tf.atomic import replacing, write_atomically
from interpnet_tf.data import loading
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.model import InterpNet, load
from interpnet_tf.tokenizer import ExplanationTokenizer
from interpnet_tf.training import DECODER_RATE, check_schedule, train_classifier, train_explainer

_DECODER_OPTIONS = {
    "lrcn": {"units": 512, "dropout": 0.5},
    "transformer": {"units": 256, "dropout": 0.1},
}


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """What defines a run; the same config gives the same run.

    Args:
        data: name of a data set or path of a records file, see `data.loading.load`.
        root: folder of a data set that is not embedded.
        variant: a key of `classifiers.HIDDEN_LAYERS`: which network of the paper.
        decoder: name of the decoder.
        seed: of everything random.
        data_seed: of the draws that the data set makes; `None` is `seed`. Runs of several seeds on the same
            examples share one.
        epochs: the most epochs of the explainer.
        cool_down: how many epochs at the end of the explainer's training halve its learning rate.
        classifier_epochs: the most epochs of the classifier.
        batch_size: sentences, or examples, a batch.
        learning_rate: of the explainer's Adam at the start, or at the top of the cosine.
        schedule: of the explainer's learning rate, `"paper"` or `"cosine"`, see `training.train_explainer`.
        warmup_epochs: how many epochs the cosine's rate takes to rise.
        label_smoothing: of the explainer's words, see `InterpNet.compile`.
        units: width of the decoder's layers; `None` is 512 for `"lrcn"`, 256 for `"transformer"`.
        dropout: of the decoder; `None` is 0.5 for `"lrcn"`, which learns a small data set by heart with the
            paper's 0.2, and 0.1 for `"transformer"`, which drops at many more places.
        minimum_count: a word must occur this often in the training sentences to be learnt.
        max_length: the most words of an explanation.
        mixed_precision: whether the decoder multiplies in bfloat16.
        backbone: a finished run on the same images, or a `.keras` file of its classifier, whose convolutional
            layers are taken as they are, so that the dense layers alone are trained; `None` trains all.
        classifier: a `.keras` file of a trained classifier to explain, whose layers are named as those of
            `variant`; `None` trains one.
        options: further arguments of the data set's `load`.
    """

    data: str
    root: str | None = None
    variant: str = "interpnet-2"
    decoder: str = "lrcn"
    seed: int = 0
    epochs: int = 30
    cool_down: int = 0
    classifier_epochs: int = 40
    batch_size: int = 32
    learning_rate: float = DECODER_RATE
    schedule: str = "paper"
    warmup_epochs: float = 0.0
    label_smoothing: float = 0.0
    units: int | None = None
    dropout: float | None = None
    minimum_count: int = 2
    max_length: int = 32
    mixed_precision: bool = False
    backbone: str | None = None
    classifier: str | None = None
    data_seed: int | None = None
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        classifiers.variant_layers(self.variant)
        for name in ("epochs", "classifier_epochs", "batch_size", "minimum_count"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.cool_down < self.epochs:
            raise ValueError(f"cool_down must lie between 0 and epochs - 1, got {self.cool_down}")
        if not 0 < self.learning_rate < 1:
            raise ValueError(f"learning_rate must lie between 0 and 1, got {self.learning_rate}")
        check_schedule(self.schedule, self.epochs, self.cool_down, self.warmup_epochs)
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(
                f"label_smoothing must be at least 0 and less than 1, got {self.label_smoothing}"
            )
        self.decoder_of(vocabulary_size=5)  # names a wrong option before a classifier is trained in vain

    def decoder_of(self, vocabulary_size: int) -> decoders.ExplanationDecoder:
        """Returns a new decoder of this run."""
        given = {"units": self.units, "dropout": self.dropout}
        options = _DECODER_OPTIONS.get(self.decoder, {}) | {k: v for k, v in given.items() if v is not None}
        dtype = "mixed_bfloat16" if self.mixed_precision else "float32"
        return decoders.get(
            self.decoder, vocabulary_size, self.max_length, seed=self.seed, dtype=dtype, **options
        )

    def load(self, split: str, root: str | None = None, **options: Any) -> ExplanationDataset:
        """Loads a split of the data set of this run, from `root` where it has moved."""
        seed = self.seed if self.data_seed is None else self.data_seed
        return loading.load(self.data, split, root or self.root, seed, **{**self.options, **options})


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
    lasts, checkpoints.

    Args:
        config: what to train.
        out: the folder to write; it must not exist unless `resume` is set.
        resume: go on with a run that was interrupted, from its last finished epoch; a finished run is
            read as it is.
        callbacks: Keras callbacks for the stages `"classifier"` and `"explainer"`.
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
    if (out / "model.keras").exists():
        return load(out / "model.keras")
    train_data, valid_data = splits or (config.load("train"), config.load("validation"))
    _check(train_data, f"the train split of {config.data!r}")
    _check(valid_data, f"the validation split of {config.data!r}")
    write_atomically(out / "config.json", json.dumps(dataclasses.asdict(config), indent=1) + "\n")
    keras.utils.set_random_seed(config.seed)
    checkpoints = out / "checkpoints"
    classifier, classifier_history = classifier_of(
        config, train_data, valid_data, checkpoints / "classifier", callbacks.get("classifier")
    )
    model = _untrained_explainer(config, classifier, train_data)
    train_r, valid_r = r or (None, None)
    explainer_history = train_explainer(
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
    model.tokenizer.save(out / "tokenizer.json")
    _write_history(out / "history.csv", {"classifier": classifier_history, "explainer": explainer_history})
    model.save(out / "model.keras")
    shutil.rmtree(checkpoints)
    return model


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
    if config.classifier is not None:
        return _read_classifier(config.classifier), []
    hidden, classes = classifiers.HIDDEN_LAYERS[config.variant], len(train_data.class_names)
    backbone = None
    if config.backbone is not None:
        backbone = classifiers.feature_extractor(_read_classifier(config.backbone))
        train_data, valid_data = (
            dataclasses.replace(part, inputs=backbone.predict(part.inputs, verbose=0))
            for part in (train_data, valid_data)
        )
    if train_data.inputs.ndim == 2:
        classifier = classifiers.mlp(train_data.inputs.shape[1], classes, hidden, seed=config.seed)
    else:
        classifier = classifiers.small_cnn(train_data.inputs.shape[1:], classes, hidden, seed=config.seed)
    history = train_classifier(
        classifier,
        train_data,
        valid_data,
        epochs=config.classifier_epochs,
        batch_size=config.batch_size,
        seed=config.seed,
        directory=directory,
        callbacks=callbacks,
    )
    return (classifiers.join(backbone, classifier) if backbone else classifier), history


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


def read_config(run: str | os.PathLike) -> RunConfig:
    """Returns the config of a run, finished or not."""
    path = Path(run) / "config.json"
    if not path.exists():
        raise FileNotFoundError(
            f"{run} is not a run folder (it has no config.json); `interpnet train` writes one"
        )
    return RunConfig(**json.loads(path.read_text("utf-8")))


def _check(dataset: ExplanationDataset, what: str) -> None:
    if not np.isfinite(dataset.inputs).all():
        row = int(np.argwhere(~np.isfinite(dataset.inputs))[0][0])
        raise ValueError(f"the features of {dataset.ids[row]!r} in {what} are not finite; mend the file")
    if not any(dataset.explanations):
        raise ValueError(f"{what} has no sentence to learn from")


def _read_classifier(path: str) -> keras.Model:
    """Returns the classifier of a run folder, or the one that a `.keras` file holds."""
    return (
        keras.saving.load_model(path, compile=False) if path.endswith(".keras") else read(path)[1].classifier
    )


def _untrained_explainer(
    config: RunConfig, classifier: keras.Model, train_data: ExplanationDataset
) -> InterpNet:
    tokenizer = ExplanationTokenizer(minimum_count=config.minimum_count).adapt(train_data.explanations)
    return InterpNet(
        classifier,
        tokenizer,
        layers=classifiers.variant_layers(config.variant),
        decoder=config.decoder_of(tokenizer.vocabulary_size),
        max_length=config.max_length,
        class_names=train_data.class_names,
        seed=config.seed,
    )


def _write_history(path: Path, stages: dict[str, list[dict[str, float]]]) -> None:
    columns = ["stage", "epoch", "loss", "val_loss", "accuracy", "val_accuracy", "learning_rate"]
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for stage, epochs in stages.items():
            for epoch, logs in enumerate(epochs, start=1):
                rounded = {name: f"{value:.6g}" for name, value in logs.items() if math.isfinite(value)}
                writer.writerow({"stage": stage, "epoch": epoch, **rounded})
