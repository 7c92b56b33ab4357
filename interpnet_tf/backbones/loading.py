"""Backbones by name: EfficientNet-Lite, those of Keras and of KerasHub, and saved models."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras

from interpnet_tf.backbones import efficientnet_lite
from interpnet_tf.support.keras_files import read_model

_LITE = "efficientnet-"


def load_backbone(
    name: str | os.PathLike, weights: str | os.PathLike | None = "imagenet", image_size: int | None = None
) -> keras.Model:
    """Loads a network that makes feature maps of images.

    Args:
        name: `"efficientnet-lite0"`, `-lite1` or `-lite2`; a model of `keras.applications`, such as
            `"MobileNetV2"`; an image backbone of KerasHub, by the name or the folder of its preset, such as
            `"resnet_50_imagenet"`; or the path of a `.keras` file, such as a fine-tuned backbone.
        weights: `"imagenet"`, the path of a file of weights for the first two kinds, or `None` for random
            weights. Keras and KerasHub download their ImageNet weights.
        image_size: height and width of the images, in pixels; by default that of the backbone, or 224.

    Returns:
        A functional model of images `(batch, image_size, image_size, 3)`, RGB with values 0..255, to the
        last feature map `(batch, height, width, channels)`, or for a transformer `(batch, tokens, channels)`.

    Raises:
        ValueError: if there is no such backbone, or its weights cannot be had.

    Example:

    >>> load_backbone("efficientnet-lite0", weights=None, image_size=64).output.shape
    (None, 2, 2, 1280)
    """
    name = os.fspath(name)
    if name.endswith(".keras"):
        return _saved(name, image_size)
    if name.removeprefix(_LITE) in efficientnet_lite.VARIANTS:
        variant = name.removeprefix(_LITE)
        shape = (image_size, image_size, 3) if image_size else None
        return efficientnet_lite.efficientnet_lite(variant, weights, include_top=False, input_shape=shape)
    if (module := _application(name)) is not None:
        return _of_keras(module, name, weights, image_size or 224)
    return _of_keras_hub(name, weights, image_size or 224)


def with_image_size(model: keras.Model, size: int | None) -> keras.Model:
    """Returns a copy of a convolutional network for images of another size.

    Args:
        model: a functional model of one batch of images.
        size: height and width of the images, in pixels; `None` for any.

    Raises:
        ValueError: if its layers fit images of the first size only.

    Example:

    >>> backbone = load_backbone("efficientnet-lite0", weights=None)
    >>> with_image_size(backbone, 64).output.shape
    (None, 2, 2, 1280)
    """
    config = model.get_config()
    config["layers"][0]["config"]["batch_shape"] = (None, size, size, 3)
    try:
        copy = type(model).from_config(config)
        copy.set_weights(model.get_weights())
    except (TypeError, ValueError) as error:
        raise ValueError(f"{model.name} cannot read images of another size: {error}") from error
    return copy


def _saved(path: str, image_size: int | None) -> keras.Model:
    model = read_model(path, compile=False)
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 4:
        raise ValueError(f"{path} does not hold a functional model of images")
    if image_size not in (None, model.input_shape[1]):
        model = with_image_size(model, image_size)
    maps = [layer.output for layer in model.layers if len(getattr(layer.output, "shape", ())) == 4]
    return model if len(model.output.shape) > 2 else keras.Model(model.input, maps[-1], name=model.name)


def _application(name: str) -> Any:
    """Returns the module of `keras.applications` that defines a model of this name, or None."""
    for module in vars(keras.applications).values():
        if (
            hasattr(module, "preprocess_input")
            and callable(getattr(module, name, None))
            and name[0].isupper()
        ):
            return module
    return None


def _of_keras(module: Any, name: str, weights: Any, size: int) -> keras.Model:
    image = keras.Input((size, size, 3), name="image")
    x = module.preprocess_input(image)
    try:
        backbone = getattr(module, name)(
            include_top=False, weights=weights, input_shape=(size, size, 3), input_tensor=x
        )
    except Exception as error:  # a download can fail in as many ways as a file of weights
        raise ValueError(f"backbone {name} with weights {weights!r} cannot be made: {error}") from error
    return keras.Model(image, backbone.output, name=name)


def _of_keras_hub(name: str, weights: Any, size: int) -> keras.Model:
    import keras_nlp  # takes seconds

    try:
        backbone = keras_nlp.models.Backbone.from_preset(name, load_weights=weights is not None)
        converter = keras_nlp.layers.ImageConverter.from_preset(name)
    except Exception as error:  # an unknown name is told by an error of the hub that was asked last
        raise ValueError(
            f"there is no backbone {name!r}: it must be one of "
            f"{', '.join(_LITE + variant for variant in efficientnet_lite.VARIANTS)}, a model of "
            "keras.applications such as MobileNetV2, a .keras file, or the name or the folder of a KerasHub "
            f"preset. KerasHub said: {error}"
        ) from error
    if len(backbone.inputs) != 1 or len(backbone.inputs[0].shape) != 4:
        raise ValueError(f"backbone {name!r} reads {backbone.inputs}, expected one batch of images")
    image = keras.Input((size, size, 3), name="image")
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    x = keras.layers.Rescaling(scale, offset, name="rescaling")(image)
    return keras.Model(image, backbone(x), name=Path(name).name.replace(" ", "_"))
