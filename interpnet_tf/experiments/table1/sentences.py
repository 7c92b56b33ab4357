"""What a trained row says of the test examples: kept, so that it can be judged anew without its model."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from interpnet_tf.experiments.table1.results import check_same
from interpnet_tf.experiments.table1.rows import Row
from interpnet_tf.experiments.table1.training import Trainer
from interpnet_tf.introspection.probabilities import class_probabilities
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.json_files import read_as


@dataclasses.dataclass(frozen=True)
class Said:
    """The sentences of one row with one seed.

    Args:
        configuration: that they were made with.
        columns: those that the sentences do not tell: `accuracy_all`, of the classifier over all test
            examples, those without sentences included, and what the training wrote down.
        seconds: what training and decoding took, in the sitting that finished them.
        resumed: whether an earlier sitting had begun the training.
        examples: of each judged example `id`, `species`, `predicted` (names) and `sentence`.
    """

    configuration: dict[str, Any]
    columns: dict[str, float]
    seconds: float
    resumed: bool
    examples: list[dict[str, str]]


def say(trainer: Trainer, row: Row, seed: int) -> Said:
    """Returns the sentences of a row: reads them, or trains the row and lets it say them.

    Args:
        trainer: of the table; the sentences are kept in `sentences/` of its folder.
        row: the row.
        seed: of its training.

    Raises:
        ValueError: if there are sentences that were made with another configuration.
    """
    path = trainer.folder / "sentences" / f"{row.name}-seed{seed}.json"
    configuration, material = trainer.configuration(row, seed), trainer.material
    if path.exists():
        said = read_as(Said, path, "the sentences of a row", "remove it to say them anew")
        check_same(path, said.configuration, configuration, "--out")
        return said
    resumed = row.base is None and trainer.run_folder(row, seed).exists()
    began = time.monotonic()
    model = trainer.model(row, seed)
    if row.decode is None:
        explanations = model.explain(material.judged, **{"seed": seed, **row.decoding})
    else:
        explanations = row.decode(model, material, seed=seed, **row.decoding)
    scores = model.classifier.predict(material.test.inputs, verbose=0)
    probabilities = class_probabilities(model.classifier, scores, model.output_kind).numpy()
    accuracy = float(np.mean(probabilities.argmax(axis=-1) == material.test.labels))
    names, judged = material.judged.class_names, material.judged
    said = Said(
        configuration,
        {"accuracy_all": accuracy, **trainer.notes(row, seed)},
        round(time.monotonic() - began, 1),
        resumed,
        [
            {"id": name, "species": names[label], "predicted": e.label, "sentence": e.text}
            for name, label, e in zip(judged.ids, judged.labels, explanations, strict=True)
        ],
    )
    _write(path, said)
    return said


def _write(path: Path, said: Said) -> None:
    write_atomically(path, json.dumps(dataclasses.asdict(said), indent=1, ensure_ascii=False) + "\n")
