"""The trained model of a row, trained once: classifiers are shared between rows, runs are resumed."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import keras

from interpnet_tf import classifiers, runs
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.experiments.table1.material import DATA_SEED, Material
from interpnet_tf.experiments.table1.rows import ROWS, Row
from interpnet_tf.experiments.table1.settings import SETTINGS
from interpnet_tf.model import InterpNet, load
from interpnet_tf.progress import EpochLines
from interpnet_tf.tokenizer import ExplanationTokenizer

# Its convolutional layers serve all rows, as the paper's rows share one feature vector x.
_BACKBONE = "interpnet-2"


@dataclasses.dataclass(frozen=True)
class Job:
    """What a row that is not built by `runs.train` is built from.

    Args:
        config: of the row; `config.classifier` is the file of `classifier`.
        classifier: trained.
        tokenizer: adapted to the training sentences.
        train, validation: the data.
        directory: for what must survive an interruption; it is the row's own.
        callbacks: Keras callbacks that show the progress.
        options: those of the row.
    """

    config: runs.RunConfig
    classifier: keras.Model
    tokenizer: ExplanationTokenizer
    train: ExplanationDataset
    validation: ExplanationDataset
    directory: Path
    callbacks: list[Any]
    options: dict[str, Any]


class Trainer:
    """Trains what a table needs, below one folder, and reads what is trained already.

    Args:
        out: the folder: `classifiers/` and `runs/` are written in it.
        material: the data.
        overrides: fields of `RunConfig` that differ from the setting in every row.
    """

    def __init__(self, out: Path, material: Material, overrides: dict[str, Any] | None = None) -> None:
        self.out, self.material, self.overrides = out, material, overrides or {}

    def config(self, row: Row, seed: int) -> runs.RunConfig:
        """Returns what a row, or the row that it decodes, is trained with."""
        row = _trained_row(row)
        setting = SETTINGS[self.material.name]
        decoder = setting.decoders[row.changes.get("decoder", "lrcn")]
        return self._config({**setting.common, **decoder, **row.changes, **self.overrides}, seed)

    def configuration(self, row: Row, seed: int) -> dict[str, Any]:
        """Returns everything that decides the figures of a row, as plain values without any path."""
        training = dataclasses.asdict(self.config(row, seed))
        for place in ("data", "root", "options", "backbone"):
            del training[place]
        training["classifier"] = Path(training["classifier"]).name
        decode = getattr(row.decode, "__name__", "explain")
        build = getattr(_trained_row(row).build, "__name__", "runs.train")
        return {
            "material": self.material.description,
            "training": {"build": build, **training, "options": dict(_trained_row(row).options)},
            "decoding": {"decode": decode, **row.decoding},
        }

    def begun(self, row: Row, seed: int) -> bool:
        """Says whether a sitting before this one has begun to train the row."""
        return self.folder(row, seed).exists()

    def folder(self, row: Row, seed: int) -> Path:
        """Returns the run folder of a row, or of the row that it decodes."""
        return self.out / "runs" / f"{_trained_row(row).name}-seed{seed}"

    def model(self, row: Row, seed: int) -> InterpNet:
        """Returns the trained model of a row: reads it, or trains or resumes it."""
        row, config, folder = _trained_row(row), self.config(row, seed), self.folder(row, seed)
        if (folder / "model.keras").exists():
            return load(folder / "model.keras")
        self._train_classifier(config)
        callbacks = [EpochLines(f"{row.name} seed {seed}", config.epochs)]
        train, validation = self.material.train, self.material.validation
        if row.build is None:
            splits = (train, validation)
            return runs.train(config, folder, True, {"explainer": callbacks}, splits)
        tokenizer = ExplanationTokenizer(minimum_count=config.minimum_count).adapt(train.explanations)
        classifier = keras.saving.load_model(config.classifier, compile=False)
        keras.utils.set_random_seed(seed)
        job = Job(config, classifier, tokenizer, train, validation, folder, callbacks, dict(row.options))
        model = row.build(job)
        folder.mkdir(parents=True, exist_ok=True)
        model.save(folder / "model.keras")
        return model

    def _config(self, fields: dict[str, Any], seed: int) -> runs.RunConfig:
        if "epochs" in fields:  # an override may leave fewer epochs than the setting cools down for
            fields["cool_down"] = min(fields.get("cool_down", 0), fields["epochs"] - 1)
        file = self._classifier_file(fields["variant"], seed)
        return runs.RunConfig(
            self.material.name,
            root=self.material.root,
            seed=seed,
            data_seed=DATA_SEED,
            classifier=str(file),
            options=self.material.loading,
            **fields,
        )

    def _classifier_file(self, variant: str, seed: int) -> Path:
        """Rows whose classifiers have the same hidden layers share one."""
        hidden = "-".join(map(str, classifiers.HIDDEN_LAYERS[variant])) or "none"
        return self.out / "classifiers" / f"hidden-{hidden}-seed{seed}.keras"

    def _train_classifier(self, config: runs.RunConfig) -> None:
        """Writes the classifier that a config names, unless it is there."""
        path = Path(config.classifier)
        if path.exists():
            return
        backbone = self._classifier_file(_BACKBONE, config.seed)
        if self.material.train.inputs.ndim == 2 or path == backbone:
            own = dataclasses.replace(config, classifier=None)
        else:
            self._train_classifier(dataclasses.replace(config, variant=_BACKBONE, classifier=str(backbone)))
            own = dataclasses.replace(config, classifier=None, backbone=str(backbone))
        checkpoints = path.with_suffix(".checkpoints")
        keras.utils.set_random_seed(config.seed)
        callbacks = [EpochLines(f"classifier {path.stem}", config.classifier_epochs)]
        classifier, _ = runs.classifier_of(
            own, self.material.train, self.material.validation, checkpoints, callbacks
        )
        temporary = path.with_name(f".{path.stem}.tmp.keras")
        path.parent.mkdir(parents=True, exist_ok=True)
        classifier.save(temporary)
        temporary.replace(path)
        shutil.rmtree(checkpoints, ignore_errors=True)


def _trained_row(row: Row) -> Row:
    return row if row.base is None else ROWS[row.base]
