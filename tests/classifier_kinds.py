"""Kinds of classifiers, each as a small net, and what `InterpNet` promises of it.

`python tests/classifier_kinds.py` prints the table of docs/classifiers.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.applications import convnext, efficientnet, mobilenet_v2, mobilenet_v3, nasnet
from packaging.version import Version

from interpnet_tf import classifiers

layers = keras.layers

COLUMNS = ("r(x)", "probabilities", "save, load", "SavedModel", "LiteRT")
REASONS = {
    "reads strings": "reads numbers only: explain the part behind the layer that makes numbers of the texts",
    "no lookup tables": "has no lookup tables: explain the part behind them, and look up in the app",
    "inputs of one size": "has inputs of one size: build the classifier with a fixed `keras.Input`",
    "remembers its last input": "remembers its last input: build it with `stateful=False`",
    "no op DenseBincount, which layer 'counts'": "lacks an op, and the message names it and the layer",
    "a subclassed model has no graph": "has no graph to read: build it with the functional API",
}


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of classifier.

    Attributes:
        name: what the table calls it.
        build: makes one.
        inputs: makes what it reads, from a generator of random numbers.
        layers: what r(x) is made of.
        activations: of the classifier and its inputs: the activations of `layers`, as the classifier computes
            them; by default from a model of Keras' that gives out layers that are not nested.
        probabilities: of the classifier's output; by default the same.
        refusals: for a column that does not work, words of the message.
        tolerance: by how much a LiteRT file, which computes in float32, and r(x) by hand may differ.
        options: of `InterpNet`.
    """

    name: str
    build: Callable[[], keras.Model]
    inputs: Callable[[np.random.Generator], Any]
    layers: Sequence[str]
    activations: Callable[[keras.Model, Any], list] | None = None
    probabilities: Callable[[np.ndarray], np.ndarray] = np.asarray
    refusals: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tolerance: float = 1e-4
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


KINDS: dict[str, Kind] = {}


def kind(name: str, inputs: Callable, layers: Sequence[str], **options: Any) -> Callable:
    """Enters what the decorated function builds among the kinds."""

    def enter(build: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
        KINDS[build.__name__] = Kind(name, build, inputs, layers, **options)
        return build

    return enter


def table() -> str:
    """Returns the table of the kinds, in Markdown."""
    rows = [["classifier", *COLUMNS], ["---"] * (1 + len(COLUMNS))]
    for entry in KINDS.values():
        cells = [REASONS[entry.refusals[column]] if column in entry.refusals else "✓" for column in COLUMNS]
        rows.append([entry.name, *cells])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


# ---------------------------------------------------------------- what they read


def numbers(*shape: int) -> Callable:
    return lambda random: random.normal(size=(3, *shape)).astype("float32")


def pictures(*shape: int) -> Callable:
    return lambda random: random.integers(0, 256, (3, *shape)).astype("float32")


def token_ids(steps: int = 5) -> Callable:
    return lambda random: random.integers(1, 10, (3, steps)).astype("int32")


def texts(random: np.random.Generator) -> np.ndarray:
    return np.array([["a great film"], ["a dull film"], ["what?"]], object)


# ---------------------------------------------------------------- how their output is read


def softmax(scores: np.ndarray) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def of_second_class(positive: np.ndarray) -> np.ndarray:
    return np.concatenate([1 - positive, positive], axis=-1)


def sigmoid(scores: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-scores))


def head(inputs: Any, x: Any, activation: str | None = "softmax", classes: int = 3) -> keras.Model:
    return keras.Model(inputs, layers.Dense(classes, activation, name="probabilities")(x))


# ---------------------------------------------------------------- vectors


@kind("dense layers on features", numbers(6), ["features", "hidden", "probabilities"])
def mlp():
    x = keras.Input((6,), name="features")
    return head(x, layers.Dense(5, "relu", name="hidden")(x))


@kind(
    "adapted `Normalization`, `Dropout`, `GaussianNoise`, `BatchNormalization`, GELU",
    numbers(6),
    ["normalized", "hidden", "probabilities"],
)
def noisy():
    x = keras.Input((6,))
    normalized = layers.Normalization(mean=[0.5] * 6, variance=[2.0] * 6, name="normalized")(x)
    hidden = layers.GaussianNoise(0.3)(layers.Dropout(0.5)(layers.Dense(5, "gelu")(normalized)))
    return head(x, layers.BatchNormalization(name="hidden")(hidden))


ACTIVATIONS = [
    *("celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh"),
    *("leaky_relu", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu"),
    *("soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax"),
    *("squareplus", "swish", "tanh", "tanh_shrink"),
]
if Version(tf.__version__) < Version("2.20"):
    ACTIVATIONS.remove("softsign")  # which TensorFlow's converter to LiteRT does not know


@kind("every activation of Keras side by side", numbers(6), ["all", "probabilities"])
def activations():
    x = keras.Input((6,))
    hidden = layers.Dense(3)(x)
    return head(x, layers.Concatenate(name="all")([layers.Activation(name)(hidden) for name in ACTIVATIONS]))


@kind("logits", numbers(6), ["hidden", "probabilities"], probabilities=softmax)
def logits():
    x = keras.Input((6,))
    return head(x, layers.Dense(5, "selu", name="hidden")(x), activation=None)


@kind("one sigmoid for two classes", numbers(6), ["hidden"], probabilities=of_second_class)
def one_sigmoid():
    x = keras.Input((6,))
    return head(x, layers.Dense(5, "mish", name="hidden")(x), "sigmoid", classes=1)


@kind(
    "one logit for two classes",
    numbers(6),
    ["hidden", "probabilities"],
    probabilities=lambda scores: of_second_class(sigmoid(scores)),
    options={"output": "logits"},
)
def one_logit():
    x = keras.Input((6,))
    return head(x, layers.Dense(5, "elu", name="hidden")(x), None, classes=1)


@kind(
    'several labels at once (`output="multi_label"`)',
    numbers(6),
    ["hidden", "probabilities"],
    options={"output": "multi_label"},
)
def multi_label():
    x = keras.Input((6,))
    return head(x, layers.Dense(5, "softplus", name="hidden")(x), "sigmoid")


@kind("an ensemble: the average of softmaxes", numbers(6), ["first", "second", "average"])
def ensemble():
    x = keras.Input((6,))
    members = [layers.Dense(3, "softmax", name=name)(x) for name in ("first", "second")]
    return keras.Model(x, layers.Average(name="average")(members))


def _last_call(classifier: keras.Model, x: np.ndarray) -> list:
    shared = classifier.get_layer("shared")
    return [shared(np.maximum(shared(x), 0)), classifier(x)]


@kind("a layer that is called twice", numbers(6), ["shared", "probabilities"], activations=_last_call)
def shared():
    x, layer = keras.Input((6,)), layers.Dense(6, name="shared")
    return head(x, layer(layers.ReLU()(layer(x))))


@kind(
    "mixed precision, float16",
    numbers(6),
    ["hidden", "probabilities"],
    tolerance=2e-2,
)
def mixed_float16():
    x = keras.Input((6,))
    return head(x, layers.Dense(5, "swish", name="hidden", dtype="mixed_float16")(x))


@kind(
    "mixed precision, bfloat16",
    numbers(6),
    ["hidden", "probabilities"],
    tolerance=5e-2,
)
def mixed_bfloat16():
    x = keras.Input((6,))
    return head(x, layers.Dense(5, "swish", name="hidden", dtype="mixed_bfloat16")(x))


# ---------------------------------------------------------------- pictures


SMALL = {"weights": None, "input_shape": (32, 32, 3), "classes": 3}
LAST = ["avg_pool", "predictions"]


@kind(
    "EfficientNet: swish, squeeze and excitation",
    pictures(32, 32, 3),
    ["block1a_se_excite", "top_activation", *LAST],
)
def efficient_net():
    block = {"kernel_size": 3, "repeats": 1, "filters_in": 8, "filters_out": 8, "expand_ratio": 2}
    block |= {"id_skip": True, "strides": 1, "se_ratio": 0.25}
    return efficientnet.EfficientNet(0.05, 1, 32, blocks_args=[block], **SMALL)


@kind(
    "MobileNetV2: depthwise, ReLU6",
    pictures(32, 32, 3),
    ["expanded_conv_project_BN", "pool", "probabilities"],
)
def mobile_net_v2():
    image = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = mobilenet_v2._inverted_res_block(x, 1, 2, 1.0, 8, 0)
    x = mobilenet_v2._inverted_res_block(x, 2, 1, 1.0, 8, 1)
    return head(image, layers.GlobalAveragePooling2D(name="pool")(x))


@kind(
    "MobileNetV3: hard swish, maps of one position behind the pooling",
    pictures(32, 32, 3),
    ["expanded_conv_project_bn", "conv_2", "predictions"],
)
def mobile_net_v3():
    def stack(x, kernel, activation, se_ratio):
        x = mobilenet_v3._inverted_res_block(x, 1, 8, 3, 2, se_ratio, mobilenet_v3.relu, 0)
        return mobilenet_v3._inverted_res_block(x, 2, 8, kernel, 2, se_ratio, activation, 1)

    return mobilenet_v3.MobileNetV3(stack, 16, **SMALL)


@kind("NASNet: cells of separable convolutions", pictures(32, 32, 3), ["normal_concat_cell", "probabilities"])
def nas_net():
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=4, padding="same")(layers.Rescaling(1 / 255)(image))
    x, _ = nasnet._normal_a_cell(x, None, 8, block_id="cell")
    return head(image, layers.GlobalAveragePooling2D()(x))


@kind("ConvNeXt: GELU, layer normalization, layer scale", pictures(32, 32, 3), ["pooled", "probabilities"])
def conv_next():
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 4, strides=4)(layers.Rescaling(1 / 255)(image))
    x = convnext.ConvNeXtBlock(8, drop_path_rate=0.1, layer_scale_init_value=0.5, name="block")(x)
    return head(image, layers.GlobalAveragePooling2D(name="pooled")(x))


def _backbone() -> keras.Model:
    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, use_bias=False, name="conv")(layers.Rescaling(1 / 255)(image))
    x = layers.ReLU(name="relu")(layers.GroupNormalization(2)(x))
    return keras.Model(image, x, name="backbone")


def _inside_and_behind(classifier: keras.Model, x: np.ndarray) -> list:
    backbone = classifier.get_layer("middle").get_layer("backbone")
    inside = keras.Model(backbone.input, backbone.get_layer("conv").output)
    return [inside(x), np.mean(backbone(x), axis=(1, 2)), classifier(x)]


@kind(
    "a nested backbone, two levels deep",
    pictures(16, 16, 3),
    ["middle/backbone/conv", "middle", "probabilities"],
    activations=_inside_and_behind,
)
def nested():
    image = keras.Input((16, 16, 3))
    middle = keras.Model(image, layers.GlobalAveragePooling2D()(_backbone()(image)), name="middle")
    return keras.Sequential(
        [keras.Input((16, 16, 3)), middle, layers.Dense(3, "softmax", name="probabilities")]
    )


@kind("augmentation layers inside", pictures(16, 16, 3), ["conv", "probabilities"])
def augmented():
    image = keras.Input((16, 16, 3))
    x = layers.RandomContrast(0.2)(layers.RandomRotation(0.1)(layers.RandomFlip()(image)))
    x = layers.Conv2D(4, 3, activation="relu", name="conv")(layers.Rescaling(1 / 255)(x))
    return head(image, layers.GlobalMaxPooling2D()(x))


@kind("a vision transformer of KerasHub", pictures(16, 16, 3), ["mean", "probabilities"])
def vision_transformer():
    import keras_hub

    backbone = keras_hub.models.ViTBackbone((16, 16, 3), (8, 8), 1, 2, 8, 8)
    image = keras.Input((16, 16, 3))
    encoded = backbone(layers.Rescaling(1 / 255)(image))
    return head(image, layers.GlobalAveragePooling1D(name="mean")(encoded))


# ---------------------------------------------------------------- sequences and volumes


@kind("sound: a mel spectrogram, then `Conv2D`", numbers(2048), ["conv", "probabilities"])
def spectrogram():
    sound = keras.Input((2048,))
    mel = layers.MelSpectrogram(fft_length=256, sequence_stride=64, num_mel_bins=16)(sound)
    x = layers.Conv2D(4, 3, activation="relu", name="conv")(layers.Reshape((16, -1, 1))(mel / 80))
    return head(sound, layers.GlobalAveragePooling2D()(x))


@kind("maps of floats, such as spectrograms", numbers(16, 8, 1), ["conv", "probabilities"])
def float_maps():
    maps = keras.Input((16, 8, 1))
    x = layers.SeparableConv2D(4, 3, activation="relu", name="conv")(maps)
    return head(maps, layers.GlobalAveragePooling2D()(x))


@kind("`Conv1D`, causal and dilated", numbers(8, 3), ["conv", "probabilities"])
def conv1d():
    steps = keras.Input((8, 3))
    x = layers.Conv1D(4, 3, padding="causal", dilation_rate=2, name="conv", activation="tanh")(steps)
    return head(steps, layers.GlobalMaxPooling1D()(x))


@kind("`Conv3D`", numbers(4, 4, 4, 2), ["conv", "probabilities"])
def conv3d():
    volume = keras.Input((4, 4, 4, 2))
    x = layers.Conv3D(3, 2, name="conv", activation="relu")(volume)
    return head(volume, layers.GlobalAveragePooling3D()(x))


@kind("`Bidirectional(LSTM)`, then `GRU`", numbers(5, 3), ["both", "gru", "probabilities"])
def recurrent():
    steps = keras.Input((5, 3))
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(steps)
    return head(steps, layers.GRU(4, name="gru")(both))


@kind("multi-head attention", numbers(5, 4), ["attended", "probabilities"])
def attention():
    steps = keras.Input((5, 4))
    attended = layers.MultiHeadAttention(2, 2)(steps, steps)
    x = layers.LayerNormalization(name="attended")(layers.Add()([steps, attended]))
    return head(steps, layers.GlobalAveragePooling1D()(x))


# ---------------------------------------------------------------- words


def _mean_of_words(classifier: keras.Model, ids: np.ndarray) -> list:
    words = np.asarray(classifier.get_layer("embedding")(ids))
    return [np.stack([of_one[one > 0].mean(axis=0) for of_one, one in zip(words, ids, strict=True)])]


def _padded(random: np.random.Generator) -> np.ndarray:
    return token_ids()(random) * (np.arange(5) < [[5], [3], [1]]).astype("int32")


@kind("token ids, padding masked", _padded, ["embedding"], activations=_mean_of_words)
def masked_ids():
    ids = keras.Input((5,), dtype="int32")
    words = layers.Embedding(10, 4, mask_zero=True, name="embedding")(ids)
    return head(ids, layers.GlobalAveragePooling1D()(words))


@kind(
    "token ids of any number",
    token_ids(7),
    ["embedding", "probabilities"],
    refusals={"LiteRT": "inputs of one size"},
)
def open_ids():
    ids = keras.Input((None,), dtype="int32")
    return head(ids, layers.GlobalAveragePooling1D()(layers.Embedding(10, 4, name="embedding")(ids)))


@kind(
    "`IntegerLookup`",
    token_ids(),
    ["embedding", "probabilities"],
    refusals={"LiteRT": "no lookup tables"},
)
def integer_lookup():
    ids = keras.Input((5,), dtype="int32")
    known = layers.IntegerLookup(vocabulary=[3, 4, 5])(ids)
    return head(ids, layers.GlobalAveragePooling1D()(layers.Embedding(4, 4, name="embedding")(known)))


@kind(
    "`CategoryEncoding`",
    token_ids(),
    ["counts", "probabilities"],
    refusals={"LiteRT": "no op DenseBincount, which layer 'counts'"},
)
def category_encoding():
    ids = keras.Input((5,), dtype="int32")
    return head(ids, layers.CategoryEncoding(10, output_mode="count", name="counts")(ids))


@kind("texts: `TextVectorization`", texts, ["embedding"], refusals={"LiteRT": "reads strings"})
def text():
    strings = keras.Input((1,), dtype="string")
    vectorize = layers.TextVectorization(output_sequence_length=4, vocabulary=["film", "great", "dull"])
    words = layers.Embedding(6, 4, name="embedding")(vectorize(strings))
    return head(strings, layers.GlobalAveragePooling1D()(words))


@kind(
    "several inputs",
    lambda random: {"image": pictures(8, 8, 3)(random), "facts": numbers(5)(random)},
    ["facts", "pool", "probabilities"],
)
def several_inputs():
    inputs = {"image": keras.Input((8, 8, 3), name="image"), "facts": keras.Input((5,), name="facts")}
    x = layers.GlobalAveragePooling2D(name="pool")(layers.Rescaling(1 / 255)(inputs["image"]))
    return head(inputs, layers.Concatenate()([x, inputs["facts"]]))


def _measurements(random: np.random.Generator) -> dict[str, np.ndarray]:
    return {"ash": np.float32([1.5, np.nan, 2.5]), "corked": np.array([True, False, True])}


@kind("a table of numbers, some missing", _measurements, ["features", "hidden_1"])
def table_of_numbers():
    return classifiers.table_mlp(_measurements(None), 3, (4,), seed=0)


def _wines(random: np.random.Generator) -> dict[str, np.ndarray]:
    return {**_measurements(random), "colour": np.array(["red", "", "white"], object)}


@kind("a table with categories", _wines, ["features", "hidden_1"], refusals={"LiteRT": "reads strings"})
def table_with_categories():
    return classifiers.table_mlp(_wines(None), 3, (4,), seed=0)


def _with_mask(random: np.random.Generator) -> dict[str, np.ndarray]:
    ids = _padded(random)
    return {"token_ids": ids, "padding_mask": (ids > 0).astype("int32"), "segment_ids": np.zeros_like(ids)}


@kind(
    "BERT of KerasHub",
    _with_mask,
    ["pooled_dense", "probabilities"],
    refusals={"LiteRT": "inputs of one size"},
)
def bert():
    import keras_hub

    backbone = keras_hub.models.BertBackbone(10, 1, 2, 8, 8)
    return head(backbone.input, backbone.output["pooled_output"])


# ---------------------------------------------------------------- what cannot be read


class _Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


@kind(
    "a subclassed `keras.Model`",
    numbers(3),
    [],
    refusals=dict.fromkeys(COLUMNS, "a subclassed model has no graph"),
)
def subclassed():
    return _Subclassed()


@kind(
    "`LSTM(stateful=True)`",
    numbers(5, 3),
    [],
    refusals=dict.fromkeys(COLUMNS, "remembers its last input"),
)
def stateful():
    steps = keras.Input(batch_shape=(1, 5, 3))
    return head(steps, layers.LSTM(3, stateful=True)(steps))


if __name__ == "__main__":
    print(table(), end="")
