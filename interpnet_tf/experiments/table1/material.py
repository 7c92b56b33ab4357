"""What every row is trained on and judged by: the splits, the same for all rows and seeds."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interpnet_tf.data import loading
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.experiments.table1.settings import SETTINGS

if TYPE_CHECKING:
    from interpnet_tf.metrics.judge import Judge

# The split of training and validation examples, and the pictures of sketchbirds, are the same for all seeds:
# the deviation over seeds is that of training, and rows can be compared picture by picture.
DATA_SEED = 0


@dataclasses.dataclass(frozen=True)
class Material:
    """The data of a table.

    Args:
        name: of the data set.
        root: its folder, where it has one.
        loading: options of its `load`.
        train, validation, test: its splits.
        reader: the examples that the judge's reader learns from.
    """

    name: str
    root: str | None
    loading: dict[str, Any]
    train: ExplanationDataset
    validation: ExplanationDataset
    test: ExplanationDataset
    reader: ExplanationDataset

    @functools.cached_property
    def judged(self) -> ExplanationDataset:
        """The test examples that have sentences."""
        return self.test.explained()

    def judge(self, features: tuple[np.ndarray, np.ndarray] | None = None) -> Judge:
        """Returns what measures the sentences of every row.

        Args:
            features: of `reader` and of `test`, for the nearest neighbour; `None` where the inputs are
                features.
        """
        from interpnet_tf.data import cub_attributes
        from interpnet_tf.metrics.judge import Judge

        attributes = cub_attributes.load(self.root) if self.name == "cub" else None
        return Judge(self.reader, self.test, attributes, features=features)

    @functools.cached_property
    def description(self) -> dict[str, Any]:
        """What the results of one table must have in common, as plain values that go into JSON."""
        return {
            "data": self.name,
            "features": self._features(),
            "per_species": self.loading.get("per_species"),
            "examples": {
                "train": len(self.train),
                "validation": len(self.validation),
                "test": len(self.test),
            },
            "explained": {"train": len(self.train.explained()), "test": len(self.judged)},
            "classes_explained": len(set(self.judged.labels.tolist())),
            "sentences": sum(map(len, self.train.explanations)),
            "input_shape": list(self.test.inputs.shape[1:]),
            "digest": _digest(self.train, self.validation, self.test),
        }

    def _features(self) -> str | None:
        """Returns the name of the file that the inputs come from; where it lies is this machine's affair."""
        if self.name != "cub":
            return None
        given = self.loading.get("features") or next(Path(self.root, "features").glob("*.npz"), None)
        return Path(given).name if given else None


def load(data: str, root: str | None = None, **options: Any) -> Material:
    """Loads the data of a table.

    Args:
        data: a key of `SETTINGS`.
        root: the folder of a data set that is not embedded.
        **options: of the data set's `load`, such as `features` of `cub` and `per_species` of `sketchbirds`.

    Raises:
        ValueError: if an option is not one of the data set.
    """
    setting = SETTINGS[data]
    splits = {
        split: loading.load(data, split, root, DATA_SEED, **options)
        for split in dict.fromkeys(("train", "validation", "test", setting.reader_split))
    }
    for split in ("train", setting.reader_split):
        kept = [sentences[: setting.sentences] for sentences in splits[split].explanations]
        splits[split] = dataclasses.replace(splits[split], explanations=kept)
    return Material(
        data,
        root,
        options,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        reader=splits[setting.reader_split],
    )


def _digest(*parts: ExplanationDataset) -> str:
    """Returns what two data sets share only if their inputs, labels and sentences are the same."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(np.ascontiguousarray(part.inputs))
        digest.update(part.labels.tobytes())
        digest.update(json.dumps(part.explanations).encode())
    return digest.hexdigest()[:16]
