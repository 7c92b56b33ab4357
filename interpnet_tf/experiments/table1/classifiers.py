"""The classifiers of the rows and their activations, trained and read once for all rows that share them."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import keras
import numpy as np

from interpnet_tf import runs
from interpnet_tf.classifiers import HIDDEN_LAYERS, feature_extractor, variant_layers
from interpnet_tf.experiments.table1.material import Material
from interpnet_tf.experiments.table1.results import claim
from interpnet_tf.introspection.introspector import Introspector
from interpnet_tf.support.array_files import read_arrays
from interpnet_tf.support.atomic import replacing
from interpnet_tf.support.errors import reading
from interpnet_tf.support.keras_files import read_model
from interpnet_tf.support.progress import EpochLines

# Where the inputs are pictures, its convolutional layers serve all rows, as the paper's share one vector x.
_BACKBONE = "interpnet-2"
_BATCH = 64


class SharedClassifiers:
    """A folder of trained classifiers, one for each choice of hidden layers and each seed.

    Args:
        folder: which need not exist yet.
        material: the data.
    """

    def __init__(self, folder: Path, material: Material) -> None:
        self.folder, self.material = folder, material

    def path(self, variant: str, seed: int) -> Path:
        """Returns the file of the classifier that a variant of the paper explains."""
        hidden = "-".join(map(str, HIDDEN_LAYERS[variant])) or "none"
        return self.folder / f"hidden-{hidden}-seed{seed}.keras"

    def read(self, config: runs.RunConfig) -> keras.Model:
        """Returns the trained classifier that a config names."""
        return read_model(config.classifier, compile=False)

    def train(self, config: runs.RunConfig) -> None:
        """Writes the classifier that a config names, unless it is there.

        Raises:
            ValueError: if it was begun with another configuration.
        """
        path, backbone = Path(config.classifier), self.path(_BACKBONE, config.seed)
        settings = {name: getattr(config, name) for name in ("classifier_epochs", "batch_size", "seed")}
        claim(path.with_suffix(".json"), {"material": self.material.description, **settings})
        if path.exists():
            return
        own = dataclasses.replace(config, classifier=None)
        if self.material.train.inputs.ndim > 2 and path != backbone:
            self.train(dataclasses.replace(config, variant=_BACKBONE, classifier=str(backbone)))
            own = dataclasses.replace(own, backbone=str(backbone))
        checkpoints = path.with_suffix(".checkpoints")
        keras.utils.set_random_seed(config.seed)
        callbacks = [EpochLines(f"classifier {path.stem}")]
        splits = (self.material.train, self.material.validation)
        classifier, _ = runs.classifier_of(own, *splits, checkpoints, callbacks)
        with replacing(path) as temporary:
            classifier.save(temporary)
        shutil.rmtree(checkpoints, ignore_errors=True)

    def features(self, config: runs.RunConfig) -> tuple[np.ndarray, np.ndarray] | None:
        """Returns what the convolutional layers make of the pictures of `reader` and `test`.

        Args:
            config: of any row; its seed and the length of its classifier's training count.

        Returns:
            Two arrays `(examples, width)`, `None` where the inputs are features already.
        """
        if self.material.train.inputs.ndim == 2:
            return None
        path = str(self.path(_BACKBONE, config.seed))
        config = dataclasses.replace(config, variant=_BACKBONE, classifier=path)
        self.train(config)
        extractor = feature_extractor(self.read(config))
        reader, test = (
            extractor.predict(part.inputs, batch_size=_BATCH, verbose=0)
            for part in (self.material.reader, self.material.test)
        )
        return reader, test

    def r(self, config: runs.RunConfig) -> tuple[np.ndarray, np.ndarray]:
        """Returns r(x) of the explained training and validation examples under a trained classifier.

        All layers are read once, and kept; each variant takes its own.
        """
        hidden = [f"hidden_{index + 1}" for index in range(len(HIDDEN_LAYERS[config.variant]))]
        introspector = Introspector(self.read(config), ["features", *hidden, "probabilities"])
        path = Path(config.classifier).with_suffix(".r.npz")
        if not path.exists():
            splits = {"train": self.material.train, "validation": self.material.validation}
            r = {
                name: introspector.predict(split.explained().inputs, batch_size=_BATCH, verbose=0)["r"]
                for name, split in splits.items()
            }
            with replacing(path) as temporary:
                np.savez(temporary, **r)
        of_variant = [introspector.slices[name] for name in variant_layers(config.variant)]
        with reading(path, "the activations of a classifier", "remove it to compute them anew"):
            kept, _ = read_arrays(path, "train", "validation")
            train, validation = (
                np.concatenate([kept[name][:, part] for part in of_variant], axis=1)
                for name in ("train", "validation")
            )
        return train, validation
