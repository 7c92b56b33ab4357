"""Trained models by their path: a run folder, or a `.keras` file of one that was trained in Python."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.loading import RECORD_SUFFIXES
from interpnet_tf.model import InterpNet, load
from interpnet_tf.runs.config import RunConfig
from interpnet_tf.runs.data_check import check_class_names, check_classifier
from interpnet_tf.runs.folder import read


def weights_digest(model: InterpNet) -> str:
    """Returns a name for the weights of a model, by which what was measured of it is kept."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:16]


class Trained:
    """A trained model, and the data that it is measured on.

    Args:
        path: of a run folder, which knows its data, or of a `.keras` file that `InterpNet.save` wrote.
        data: name or path of the data of a `.keras` file, see `data.loading.load`; `None` for none.
        root: folder of the data set, where a run's has moved.
        options: further ones of the data set's `load`, for a `.keras` file.

    Attributes:
        model: the `InterpNet`.
        config: of the run; of a `.keras` file, one that names the data; `None` without data.
        folder: of the run; `None` for a `.keras` file.

    Raises:
        FileNotFoundError: if there is no such run or file.
        ValueError: if it cannot be read, or `data` is given for a run.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        data: str | None = None,
        root: str | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.path, self.root = str(path), root
        self.config: RunConfig | None = None
        self.folder: Path | None = None
        if not self.path.endswith(".keras") or Path(path).is_dir():
            if data or options:
                raise ValueError(f"{path} is a run, which knows its data; leave out --data and its options")
            self.config, self.model = read(path)
            self.folder = Path(path)
            return
        self.model = load(path, compile=False)  # it is not trained on
        if data is not None:
            self.config = RunConfig(data, root=root, options=self._options(data, options or {}))

    @property
    def name(self) -> str:
        """How tables call the model: the variant of a run."""
        return (self.folder and self.config.variant) or "model"

    def load(self, split: str, **options: Any) -> ExplanationDataset:
        """Loads a split of the data, in the classes and the input shape of the model.

        Args:
            split: such as `"test"`.
            **options: of the data set's `load`, in place of those of the run.

        Raises:
            ValueError: if there is no data, or it is not what the model was made for.
        """
        if self.config is None:
            raise ValueError(f"{self.path} does not say what data it is of; name it with --data")
        dataset, what = self.config.load(split, self.root, **options), f"{self.config.data!r}"
        check_classifier(self.model.classifier, dataset, what)
        check_class_names(self.model.class_names, dataset, what)
        return dataset

    def _options(self, data: str, given: dict[str, Any]) -> dict[str, Any]:
        """Returns options of the data's `load` that follow from the model, and those that are given."""
        shape, names = self.model.classifier.inputs[0].shape, self.model.class_names
        options: dict[str, Any] = {}
        if len(shape) == 4 and shape[1] is not None:
            options["image_size"] = shape[1]
        if data.lower().endswith(RECORD_SUFFIXES) and names != [str(index) for index in range(len(names))]:
            options["class_names"] = names
        return options | given
