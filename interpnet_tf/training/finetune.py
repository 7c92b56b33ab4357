"""Fine-tuning of a backbone's last layers on classes of one's own."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.backbones.loading import with_image_size
from interpnet_tf.backbones.row_file import RowFile
from interpnet_tf.backbones.views import batches_ahead, fixed_views, random_view
from interpnet_tf.data.images import open_image
from interpnet_tf.data.pipeline import SeededBatches
from interpnet_tf.support.atomic import replacing, write_atomically
from interpnet_tf.support.json_files import read_record
from interpnet_tf.training.checkpoints import Checkpoints
from interpnet_tf.training.schedules import warmup_cosine

_MOMENTUM, _WEIGHT_DECAY = 0.9, 5e-4


@dataclasses.dataclass(frozen=True)
class FinetuneConfig:
    """How a backbone is fine-tuned.

    Args:
        layer: name of the layer behind which the weights are trained; what lies before it stays as it is, so
            that it is computed once for every view.
        views: how many random views of each training image there are; an epoch sees one of them.
        view_size: height and width of the random views, in pixels. Smaller than the images that features are
            made of later: a random crop shows objects larger than they are there (Touvron et al., 2019).
        epochs, batch_size: of the training.
        learning_rate: of stochastic gradient descent at its highest; it falls along half a cosine.
        label_smoothing: share of the probability that all classes get.
        dropout: share of the pooled features that training drops.
        seed: of everything random.

    References:
        - [Touvron et al., 2019](https://arxiv.org/abs/1906.06423), on the size of the images
    """

    layer: str
    views: int = 3
    view_size: int = 224
    epochs: int = 12
    batch_size: int = 32
    learning_rate: float = 0.01
    label_smoothing: float = 0.1
    dropout: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("views", "view_size", "epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "label_smoothing", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and less than 1, got {getattr(self, name)}")


def finetune(
    backbone: keras.Model,
    train: tuple[Sequence[Path], np.ndarray],
    valid: tuple[Sequence[Path], np.ndarray],
    folder: str | os.PathLike,
    config: FinetuneConfig,
    settings: dict[str, Any] | None = None,
    progress: Callable[[str], Callable[[int, int], None]] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.Model:
    """Trains the last layers of a backbone to tell classes apart.

    Their batch normalization learns with them: with the statistics of ImageNet, the rates at which the other
    weights learn anything make the training diverge.

    Everything is kept in `folder`: the maps of the trained layers' input, checkpoints, and at the end
    `backbone.keras`. The same call goes on where an earlier one stopped.

    Args:
        backbone: a functional model of images to a feature map; its weights are trained in place.
        train, valid: paths of images, and the class of each, int `(images,)`.
        folder: for the files.
        config: how to train.
        settings: what else the result depends on, such as the name of the backbone.
        progress: makes, from a title, what is called with the number of finished and of all images.
        callbacks: further Keras callbacks.

    Returns:
        The backbone, fine-tuned, with the best weights by validation loss.

    Raises:
        ValueError: if an argument is wrong, or the folder was begun with others.
    """
    folder = Path(folder)
    size = backbone.input_shape[1]
    model = with_image_size(backbone, None)
    trunk, tail = _split(model, config.layer)
    note = {"layer": config.layer, "seed": config.seed, "backbone": backbone.name, **(settings or {})}
    paths, labels = train

    def random_views(index: int) -> np.ndarray:
        image = open_image(paths[index])
        random = np.random.default_rng((config.seed, index))
        return np.stack([random_view(image, config.view_size, random) for _ in range(config.views)])

    def whole_view(index: int) -> np.ndarray:
        return fixed_views(open_image(valid[0][index]), size, "whole")

    told = progress or (lambda title: None)
    view_note = {**note, "views": config.views, "view_size": config.view_size}
    maps = cached_maps(trunk, random_views, len(paths), folder / "train", view_note, told("train"))
    whole_note = {**note, "views": 1, "view_size": size}
    plain = cached_maps(
        trunk, whole_view, len(valid[0]), folder / "validation", whole_note, told("validation")
    )
    classes = int(max(labels.max(), valid[1].max())) + 1
    batches = _ViewBatches(maps, labels, classes, config.batch_size, seed=config.seed)
    valid_batches = _ViewBatches(plain, valid[1], classes, config.batch_size, shuffle=False)
    _check_note(folder / "training" / "config.json", {**dataclasses.asdict(config), **note})
    _train(tail, batches, valid_batches, folder / "training" / "checkpoints", config, list(callbacks))
    backbone.set_weights(model.get_weights())
    with replacing(folder / "backbone.keras") as temporary:
        backbone.save(temporary)
    return backbone


def cached_maps(
    trunk: keras.Model,
    views: Callable[[int], np.ndarray],
    images: int,
    folder: Path,
    note: dict[str, Any],
    progress: Callable[[int, int], None] | None = None,
    batch_size: int = 8,
) -> np.ndarray:
    """Computes the maps of views of images, or goes on with it where an earlier call stopped.

    Args:
        trunk: the layers that are not trained, of images of any size.
        views: makes uint8 `(views, size, size, 3)` of the number of an image.
        images: how many there are.
        folder: for the maps.
        note: what they depend on, with `views` and `view_size`.
        progress: called with the number of finished and of all images.
        batch_size: images a batch.

    Returns:
        float16 `(images, views, height, width, channels)`, mapped into memory.
    """
    size = note["view_size"]
    shape = trunk.compute_output_shape((None, size, size, 3))[1:]
    partial = RowFile(folder, (images, note["views"], *shape), "float16", note)
    for batch in batches_ahead(views, range(partial.done, images), batch_size):
        maps = trunk.predict_on_batch(batch.reshape(-1, *batch.shape[2:]))
        partial.append(maps.reshape(*batch.shape[:2], *maps.shape[1:]))
        if progress is not None:
            progress(partial.done, images)
    return partial.rows


class _ViewBatches(SeededBatches):
    """Batches `(maps, one-hot classes)`, one view of each image, drawn by epoch."""

    def __init__(
        self,
        maps: np.ndarray,
        labels: np.ndarray,
        classes: int,
        batch_size: int,
        shuffle: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(len(labels), batch_size, shuffle, seed)
        self.maps, self.targets = maps, np.eye(classes, dtype="float32")[labels]

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng((self.seed, self.epoch, int(rows[0])))
        views = random.integers(self.maps.shape[1], size=len(rows))
        return self.maps[rows, views].astype("float32"), self.targets[rows]

    def signature(self) -> tuple[tf.TensorSpec, tf.TensorSpec]:
        maps = tf.TensorSpec((None, *self.maps.shape[2:]), tf.float32)
        return maps, tf.TensorSpec((None, self.targets.shape[1]), tf.float32)


def _split(model: keras.Model, layer: str) -> tuple[keras.Model, keras.Model]:
    """Returns the part of the model up to a layer, and the rest."""
    names = [candidate.name for candidate in model.layers]
    if layer not in names[1:-1]:
        raise ValueError(f"layer must be one of {', '.join(names[1:-1])}, got {layer!r}")
    cut = model.get_layer(layer).output
    tail = keras.Model(cut, model.output)
    for candidate in tail.layers:
        if isinstance(candidate, keras.layers.BatchNormalization):
            candidate.momentum = _MOMENTUM  # Keras' 0.99 is for trainings of many more steps
    return keras.Model(model.input, cut), tail


def _train(
    tail: keras.Model,
    batches: _ViewBatches,
    valid: _ViewBatches,
    directory: Path,
    config: FinetuneConfig,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    """Trains the tail with a classifier behind it, and leaves it with its best weights."""
    keras.utils.set_random_seed(config.seed)
    classes = batches.targets.shape[1]
    x = keras.layers.GlobalAveragePooling2D()(tail.output)
    x = keras.layers.Dropout(config.dropout, seed=config.seed)(x)
    classifier = keras.Model(tail.input, keras.layers.Dense(classes, "softmax", name="probabilities")(x))
    rate = warmup_cosine(config.learning_rate, config.epochs * len(batches), len(batches) // 2)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing)
    optimizer = keras.optimizers.SGD(rate, _MOMENTUM, nesterov=True, weight_decay=_WEIGHT_DECAY)
    classifier.compile(optimizer, loss, metrics=["accuracy"])
    checkpoints = Checkpoints(directory=directory)
    first_epoch = checkpoints.resume(classifier)
    if checkpoints.stopped or first_epoch >= config.epochs:
        checkpoints.set_model(classifier)
        checkpoints.on_train_end()
        return
    classifier.fit(
        batches.to_tf(),
        validation_data=valid.to_tf(),
        initial_epoch=first_epoch,
        epochs=config.epochs,
        callbacks=[checkpoints, batches.follow_epochs(), *callbacks],
        verbose=0,
        shuffle=False,
    )


def _check_note(path: Path, note: dict[str, Any]) -> None:
    """Writes down what a training depends on, or makes sure that an earlier one did on the same."""
    if path.is_file():
        found = read_record(path, "the note of a training", f"remove {path.parent} to train anew")
        if changed := [key for key in {**found, **note} if found.get(key) != note.get(key)]:
            raise ValueError(
                f"{path.parent} was begun with another {', '.join(changed)}; go on with the same, or remove "
                "that folder to train anew"
            )
        return
    write_atomically(path, json.dumps(note, indent=1) + "\n")
