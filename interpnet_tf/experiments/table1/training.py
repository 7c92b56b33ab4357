"""The trained model of a row: read where it is finished, resumed where it was interrupted."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import keras

from interpnet_tf import runs
from interpnet_tf.experiments.table1.classifiers import SharedClassifiers
from interpnet_tf.experiments.table1.job import NOTES, Job
from interpnet_tf.experiments.table1.material import DATA_SEED, Material
from interpnet_tf.experiments.table1.results import claim
from interpnet_tf.experiments.table1.rows import ROWS, Row
from interpnet_tf.experiments.table1.settings import SETTINGS
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.model import InterpNet, load
from interpnet_tf.support.json_files import read_record
from interpnet_tf.support.progress import EpochLines

_ANEW = "remove the folder of the run to train it anew"


class Trainer:
    """Trains what a table needs, below one folder, and reads what is trained already.

    Args:
        folder: `classifiers/` and `runs/` are written in it.
        material: the data.
        overrides: fields of `RunConfig` that differ from the setting in every row.
    """

    def __init__(self, folder: Path, material: Material, overrides: dict[str, Any] | None = None) -> None:
        self.folder, self.material, self.overrides = folder, material, overrides or {}
        self.classifiers = SharedClassifiers(folder / "classifiers", material)

    def config(self, row: Row, seed: int) -> runs.RunConfig:
        """Returns what a row, or the row that it decodes, is trained with."""
        row, setting = _trained_row(row), SETTINGS[self.material.name]
        decoder = setting.decoders[row.changes.get("decoder", "lrcn")]
        fields = {**setting.common, **decoder, **row.changes, **self.overrides}
        if "epochs" in fields:  # an override may leave fewer epochs than the setting cools down for
            fields["cool_down"] = min(fields.get("cool_down", 0), fields["epochs"] - 1)
        return runs.RunConfig(
            self.material.name,
            root=self.material.root,
            seed=seed,
            data_seed=DATA_SEED,
            classifier=str(self.classifiers.path(fields["variant"], seed)),
            options=self.material.loading,
            **fields,
        )

    def configuration(self, row: Row, seed: int) -> dict[str, Any]:
        """Returns everything that decides the figures of a row, as plain values without any path."""
        decode = getattr(row.decode, "__name__", "explain")
        return {**self._training(row, seed), "decoding": {"decode": decode, **row.decoding}}

    def options(self, row: Row) -> dict[str, Any]:
        """Returns the options of a row's `build`, with no more epochs than the data set gives its stages."""
        most = SETTINGS[self.material.name].stage_epochs
        options = dict(row.options)
        for stage, settings in row.options.items():
            if isinstance(settings, dict):
                least = min(settings["epochs"], most, self.overrides.get("epochs", most))
                options[stage] = {**settings, "epochs": least}
        return options

    def run_folder(self, row: Row, seed: int) -> Path:
        """Returns the run folder of a row, or of the row that it decodes."""
        return self.folder / "runs" / f"{_trained_row(row).name}-seed{seed}"

    def unfinished(self, row: Row, seed: int) -> list[Row]:
        """Returns the rows that must be trained before a row can speak: its own training and its start's."""
        row = _trained_row(row)
        if (self.run_folder(row, seed) / "model.keras").exists():
            return []
        return [row, *(self.unfinished(ROWS[row.start], seed) if row.start else [])]

    def model(self, row: Row, seed: int) -> InterpNet:
        """Returns the trained model of a row: reads it, or trains or resumes it.

        Raises:
            ValueError: if it was begun with another configuration.
        """
        row, config, folder = _trained_row(row), self.config(row, seed), self.run_folder(row, seed)
        claim(folder / "table1.json", self._training(row, seed))
        if (folder / "model.keras").exists():
            return load(folder / "model.keras")
        self.classifiers.train(config)
        if row.build is None:
            callbacks = {"explainer": [EpochLines(f"{row.name} seed {seed}")]}
            splits = (self.material.train, self.material.validation)
            return runs.train(config, folder, True, callbacks, splits, self.classifiers.r(config))
        job = self._job(row, seed)
        keras.utils.set_random_seed(seed)
        row.build(job).save(folder / "model.keras")
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        return load(folder / "model.keras")

    def notes(self, row: Row, seed: int) -> dict[str, float]:
        """Returns the columns that the training of a row wrote down."""
        path = self.run_folder(row, seed) / NOTES
        return read_record(path, "the notes of a training", _ANEW) if path.exists() else {}

    def _job(self, row: Row, seed: int) -> Job:
        config, sentences = self.config(row, seed), self.material.train.explanations
        common = {name: value for name, value in row.options.items() if name != "ablation"}
        shared = self.folder / "shared" / f"{row.build.__name__}-{config.decoder}-seed{seed}"
        claim(shared / "table1.json", self._training(dataclasses.replace(row, options=common), seed))
        return Job(
            config,
            self.options(row),
            f"{row.name} seed {seed}",
            self.classifiers.read(config),
            ExplanationTokenizer(minimum_count=config.minimum_count).adapt(sentences),
            self.material.train,
            self.material.validation,
            self.material.test,
            self.model(ROWS[row.start], seed) if row.start else None,
            self.run_folder(row, seed),
            shared,
        )

    def _training(self, row: Row, seed: int) -> dict[str, Any]:
        row, training = _trained_row(row), dataclasses.asdict(self.config(row, seed))
        for place in ("data", "root", "options", "backbone"):  # the material says what they hold
            del training[place]
        training["classifier"] = Path(training["classifier"]).name
        build = getattr(row.build, "__name__", "runs.train")
        start = {"start": self._training(ROWS[row.start], seed)["training"]} if row.start else {}
        return {
            "material": self.material.description,
            "training": {"build": build, **training, **start},
            "options": self.options(row),
        }


def _trained_row(row: Row) -> Row:
    return row if row.base is None else ROWS[row.base]
