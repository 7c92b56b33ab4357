"""The features of images: a backbone's maps, pooled."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from interpnet_tf.backbones.row_file import RowFile
from interpnet_tf.backbones.views import batches_ahead, check_views, fixed_views
from interpnet_tf.data.feature_files import check_out, read_features
from interpnet_tf.data.images import open_image
from interpnet_tf.introspection.compact_bilinear import CompactBilinearPooling
from interpnet_tf.support.atomic import replacing

POOLINGS = ("average", "root_average", "compact_bilinear")


def feature_model(
    backbone: keras.Model, pooling: Sequence[str] = ("average",), bilinear_dim: int = 8192
) -> keras.Model:
    """Puts pooling behind a backbone.

    Args:
        backbone: a functional model of images to feature maps, see `load_backbone`.
        pooling: `"average"`; `"root_average"`, its signed square root, scaled to length 1;
            `"compact_bilinear"`, which is scaled likewise. Each stands alone for the last map or is followed
            by a colon and the name of a layer, as `"average:block5d_add"`. Several are concatenated; those of
            length 1 count alike then.
        bilinear_dim: numbers that a compact bilinear pooling gives.

    Returns:
        A model of images to float32 `(batch, width)`.

    Raises:
        ValueError: if a pooling or a layer does not exist, or the layer makes no map.

    Example:

    >>> image = keras.Input((32, 32, 3))
    >>> backbone = keras.Model(image, keras.layers.Conv2D(12, 3, name="conv")(image))
    >>> feature_model(backbone, ["average", "compact_bilinear:conv"], bilinear_dim=64).output.shape
    (None, 76)
    """
    parts = []
    for index, entry in enumerate(pooling):
        kind, _, name = entry.partition(":")
        if kind not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, or that:LAYER, got {entry!r}")
        maps = _layer_output(backbone, name) if name else backbone.output
        if len(maps.shape) not in (3, 4):
            raise ValueError(f"pooling {entry!r}: shape {tuple(maps.shape)} is not that of feature maps")
        if kind == "compact_bilinear":
            parts.append(CompactBilinearPooling(bilinear_dim, name=f"compact_bilinear_{index}")(maps))
        else:
            layer = "GlobalAveragePooling2D" if len(maps.shape) == 4 else "GlobalAveragePooling1D"
            average = getattr(keras.layers, layer)(dtype="float32", name=f"average_{index}")(maps)
            parts.append(_root(average) if kind == "root_average" else average)
    features = parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="features")(parts)
    return keras.Model(backbone.input, features, name="features")


def extract(
    model: keras.Model,
    paths: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    ids: Sequence[str] | None = None,
    *,
    crop: str = "centre",
    resize: int | None = None,
    flip: bool = False,
    batch_size: int = 16,
    join: Sequence[str | os.PathLike] = (),
    settings: dict[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Computes the features of image files and writes them, `(images, width)` in float16.

    The features of several views of an image are averaged. While the work lasts, what is finished lies in
    the folder `<out>.partial`, from which the same call goes on.

    Args:
        model: of images `(batch, size, size, 3)` to features, see `feature_model`.
        paths: of the images.
        out: path of the `.npz` file, with arrays `features` and `ids`.
        ids: a name for each image, by default its path.
        crop, resize, flip: see `fixed_views`.
        batch_size: images a batch; each is as many views as the other arguments say.
        join: `.npz` files whose features of the same images are put before the new ones, such as those of
            another backbone.
        settings: anything else that the features depend on, such as the name of the backbone.
        progress: called after each batch with the number of finished and of all images.

    Returns:
        The features, those of `join` among them.

    Raises:
        FileNotFoundError: if an image is missing.
        ValueError: if an argument or an image is wrong, or `out` was begun with others.
    """
    out = Path(out)
    check(model, out, crop, resize)
    ids = [os.fspath(path) for path in paths] if ids is None else list(ids)
    joined = [read_features(Path(path), ids, "the images").astype("float16") for path in join]
    size = model.input_shape[1]

    def views(path: str | os.PathLike) -> np.ndarray:
        return fixed_views(open_image(path), size, crop, resize, flip)

    names = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    note = {"images": names, "crop": crop, "resize": resize, "flip": flip, "size": size, **(settings or {})}
    shape = (len(paths), model.output_shape[-1])
    partial = RowFile(out.with_name(f"{out.name}.partial"), shape, "float16", note)
    for images in batches_ahead(views, paths[partial.done :], batch_size):
        features = model.predict_on_batch(images.reshape(-1, *images.shape[2:]))
        features = features.reshape(*images.shape[:2], -1).mean(axis=1)
        if not np.isfinite(features).all() or np.abs(features).max() > np.finfo("float16").max:
            row = partial.done + int(np.argmax(np.abs(features).max(axis=1)))
            raise ValueError(f"the features near {ids[row]!r} do not fit float16")
        partial.append(features)
        if progress is not None:
            progress(partial.done, len(paths))
    features = np.concatenate([*joined, partial.rows], axis=1)
    with replacing(out) as temporary:
        np.savez(temporary, features=features, ids=np.array(ids))
    partial.remove()
    return features


def check(model: keras.Model, out: Path, crop: str, resize: int | None) -> None:
    """Raises a `ValueError` if `extract` would do so at once, for callers with long work before it."""
    check_out(out)
    check_views(model.input_shape[1], crop, resize)


def _root(features: keras.KerasTensor) -> keras.KerasTensor:
    """Returns the signed square root, scaled to length 1, of features `(batch, width)`."""
    root = keras.ops.sign(features) * keras.ops.sqrt(keras.ops.abs(features))
    return keras.ops.normalize(root, axis=-1, order=2)


def _layer_output(backbone: keras.Model, name: str) -> keras.KerasTensor:
    names = [layer.name for layer in backbone.layers]
    if name not in names:
        raise ValueError(f"{backbone.name} has no layer {name!r}; its layers: {', '.join(names)}")
    return backbone.get_layer(name).output
