"""How the rows are trained on each data set, and how long that takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Setting:
    """What the rows of one data set share.

    Args:
        title: of the table.
        examples: what they are, beside the paper's.
        common: fields of `RunConfig` for classifiers and explainers alike.
        decoders: further fields, by decoder.
        reader_split: the split whose sentences train the judge's reader.
        sentences: of each training example, how many are learnt; `None` for all.
        stage_epochs: the most epochs of a stage of the rows that have several, their first training apart.
        seconds: what it takes on two cores to train a row, by decoder, or `"built"` for one that
            `runs.train` does not train; a `"classifier"`; and to `"judge"` what a row says.
    """

    title: str
    examples: str
    common: Mapping[str, Any]
    decoders: Mapping[str, Mapping[str, Any]]
    reader_split: str
    sentences: int | None
    stage_epochs: int
    seconds: Mapping[str, float]


SETTINGS: dict[str, Setting] = {
    # The paper's training, section 4: dropout 0.2, Adam at 5e-4, batches of 32, a rate that halves.
    "cub": Setting(
        title="CUB-40: the test photographs of the 40 species that have sentences",
        examples="photographs of CUB-200-2011, its official split",
        common={},
        decoders={
            "lrcn": {"dropout": 0.2},
            "transformer": {"dropout": 0.3, "epochs": 12, "cool_down": 3, "mixed_precision": True},
        },
        reader_split="trainval",
        sentences=None,
        stage_epochs=10,
        seconds={"classifier": 40, "lrcn": 420, "transformer": 400, "built": 600, "judge": 60},
    ),
    # As in `experiments.demo`, few epochs at a high rate: six rows with three seeds take half an hour.
    "sketchbirds": Setting(
        title="sketchbirds: the test pictures",
        examples="drawn birds of 24 invented species",
        common={"batch_size": 64, "classifier_epochs": 14, "minimum_count": 1},
        decoders={
            "lrcn": {"units": 192, "dropout": 0.1, "learning_rate": 4e-3, "epochs": 5, "cool_down": 3},
            "transformer": {
                "units": 256,
                "learning_rate": 1e-3,
                "epochs": 6,
                "cool_down": 3,
                "mixed_precision": True,
            },
        },
        reader_split="train",
        sentences=3,
        stage_epochs=2,
        seconds={"classifier": 15, "lrcn": 42, "transformer": 80, "built": 95, "judge": 12},
    ),
}
