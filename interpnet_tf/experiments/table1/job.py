"""What a row that `runs.train` does not train is built from."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import keras

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.model import InterpNet
from interpnet_tf.runs import RunConfig
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.progress import EpochLines

NOTES = "notes.json"


@dataclasses.dataclass(frozen=True)
class Job:
    """What a row that `runs.train` does not train is built from.

    Args:
        config: of the row.
        options: those of the row.
        title: for its progress.
        classifier: trained.
        tokenizer: adapted to the training sentences.
        train, validation, test: the data.
        start: the model of the row that it goes on from, if there is one; it may be changed.
        directory: for what must survive an interruption; it is the row's own.
        shared: the same, for what rows have in common that are trained alike but for the option `ablation`.
    """

    config: RunConfig
    options: dict[str, Any]
    title: str
    classifier: keras.Model
    tokenizer: ExplanationTokenizer
    train: ExplanationDataset
    validation: ExplanationDataset
    test: ExplanationDataset
    start: InterpNet | None
    directory: Path
    shared: Path

    def progress(self, stage: str) -> list[keras.callbacks.Callback]:
        """Returns the callbacks that show a stage of the training."""
        return [EpochLines(f"{self.title}, {stage}")]

    def note(self, **columns: float) -> None:
        """Writes down figures of the training that are columns of the row."""
        write_atomically(self.directory / NOTES, json.dumps(columns) + "\n")
