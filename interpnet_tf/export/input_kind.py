"""Whether an exported model reads pictures, as files have them, or arrays just as its classifier does."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np

_MEAN = np.array([0.485, 0.456, 0.406])  # of ImageNet's red, green and blue, in 0..1, and their deviation
_DEVIATION = np.array([0.229, 0.224, 0.225])
_CAFFE = 255 * _MEAN[::-1]
# What black and white become where a classifier itself prepares pixels in 0..255.
_BLACK_AND_WHITE = (
    (0, 1),
    (-1, 1),
    (-0.5, 0.5),
    (-_MEAN / _DEVIATION, (1 - _MEAN) / _DEVIATION),
    (-_CAFFE, 255 - _CAFFE),
)


def input_kind(classifier: keras.Model, wanted: str | None = None) -> str:
    """Decides what the input `x` of an export is.

    A classifier reads pictures if its input is of whole numbers from 0 to 255 (uint8) or if, before its
    first weights, it brings such numbers to those that networks like: 0 and 255 to 0 and 1, -1 and 1, or
    ImageNet's standard scores. The shape alone says nothing: spectrograms and pixels / 255 have it, too.

    Args:
        classifier: one of several inputs reads no pictures.
        wanted: what the user says: `"picture"`, `"array"`, or `None` to let the classifier decide.

    Returns:
        `"picture"` for whole numbers from 0 to 255 of shape `(height, width, 1 or 3)`, else `"array"`.

    Raises:
        ValueError: if `wanted` is none of these, or a picture is wanted of a classifier of something else.
    """
    shape = classifier.inputs[0].shape[1:]
    fits = len(classifier.inputs) == 1 and len(shape) == 3 and shape[-1] in (1, 3)
    if wanted not in ("picture", "array", None):
        raise ValueError(f"input must be 'picture', 'array' or None, got {wanted!r}")
    if wanted == "picture" and not fits:
        raise ValueError(
            f"input='picture' is for classifiers of (height, width, 1 or 3) numbers, but {classifier.name!r} "
            f"reads {tuple(shape)}; leave it out, or say input='array'"
        )
    if wanted is not None:
        return wanted
    if not fits:
        return "array"
    if classifier.inputs[0].dtype == "uint8" or _prepares_pixels(classifier):
        return "picture"
    if shape[-1] == 3:
        warnings.warn(
            f"the export reads x as the classifier {classifier.name!r} does, {classifier.inputs[0].dtype} of "
            f"{tuple(shape)}, and no picture files, as nothing in it shows that it wants pixels from 0 to "
            "255; if it does, say input='picture' (--input picture), else input='array'",
            stacklevel=2,
        )
    return "array"


def check_samples(samples: Any, kind: str) -> None:
    """Raises a `ValueError` if samples for an export that reads pictures are no pixels."""
    if kind != "picture" or samples is None:
        return
    pixels = np.asarray(samples)
    if pixels.size and (pixels.min() < 0 or pixels.max() > 255 or np.any(pixels != np.round(pixels))):
        raise ValueError(
            "samples holds other numbers than whole ones from 0 to 255, but the export is to read pictures; "
            "give pixels, or export with input='array'"
        )


def _prepares_pixels(model: keras.Model) -> bool:
    """Whether a model scales pixels in 0..255 before its first weights."""
    graph = getattr(model, "_functional", None) or model
    image = graph.inputs[0]
    height, width = (size or 32 for size in image.shape[1:3])
    black_and_white = np.stack([np.full((height, width, image.shape[-1]), level) for level in (0, 255)])
    known = {id(image)}
    for operation in graph.operations:
        for node in operation._inbound_nodes:
            if not node.input_tensors or any(id(tensor) not in known for tensor in node.input_tensors):
                continue
            if isinstance(operation, keras.Model):
                return hasattr(operation, "operations") and _prepares_pixels(operation)
            if _learns(operation):
                return False
            known |= {id(tensor) for tensor in node.output_tensors}
            prepared = node.output_tensors[0]
            if len(prepared.shape) != 4:
                continue
            found = np.asarray(
                keras.Model(image, prepared)(black_and_white.astype(image.dtype), training=False)
            )
            # Layers that move or pad a picture change its edges.
            if _are_prepared(found[:, found.shape[1] // 2, found.shape[2] // 2]):
                return True
    return False


def _learns(operation: Any) -> bool:
    return bool(getattr(operation, "weights", ())) and not isinstance(operation, keras.layers.Normalization)


def _are_prepared(ends: np.ndarray) -> bool:
    """Whether black and white, `(2, channels)`, became what networks like."""
    pairs = (np.reshape(pair, (2, -1)) for pair in _BLACK_AND_WHITE)
    fitting = (pair for pair in pairs if pair.shape[1] in (1, ends.shape[1]))
    return any(np.allclose(ends, pair, rtol=0.02, atol=0.02) for pair in fitting)
