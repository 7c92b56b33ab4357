"""The classifiers to be explained: the paper's networks on feature vectors, and a small CNN on images."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from interpnet_tf.introspection.compact_bilinear import CompactBilinearPooling
from interpnet_tf.introspection.number_column import NumberColumn

__all__ = [
    "HIDDEN_LAYERS",
    "CompactBilinearPooling",
    "feature_extractor",
    "join",
    "mlp",
    "small_cnn",
    "table_mlp",
    "variant_layers",
]

# Units of the hidden layers in the paper's five networks (Barratt, 2017, section 3). The sizes of
# interpnet-3 are unpublished: ours.
HIDDEN_LAYERS: dict[str, tuple[int, ...]] = {
    "captioning": (),
    "interpnet-0": (),
    "interpnet-1": (500,),
    "interpnet-2": (500, 300),
    "interpnet-3": (500, 400, 300),
}

# A column of more different texts than these holds names or prose.
_MOST_CATEGORIES = 50


def variant_layers(variant: str) -> list[str]:
    """Returns the layers of which a variant of the paper forms r(x).

    "captioning" sees the input only, "interpnet-0" the output only, the others everything.

    Args:
        variant: a key of `HIDDEN_LAYERS`.

    Returns:
        Names of layers in a classifier that `mlp` or `small_cnn` builds with
        `hidden=HIDDEN_LAYERS[variant]`, for `Introspector(classifier, layers=…)`.

    Example:

    >>> variant_layers("interpnet-2")
    ['features', 'hidden_1', 'hidden_2', 'probabilities']
    """
    if variant not in HIDDEN_LAYERS:
        raise ValueError(f"`variant` must be one of {list(HIDDEN_LAYERS)}, got {variant!r}")
    if variant == "captioning":
        return ["features"]
    if variant == "interpnet-0":
        return ["probabilities"]
    hidden = [f"hidden_{index + 1}" for index in range(len(HIDDEN_LAYERS[variant]))]
    return ["features", *hidden, "probabilities"]


def mlp(
    input_dim: int,
    classes: int,
    hidden: Sequence[int] = (500, 300),
    dropout: float = 0.0,
    *,
    seed: int | None = None,
    name: str = "mlp",
) -> keras.Model:
    """Builds the paper's classifier of feature vectors: ReLU layers and a softmax.

    Args:
        input_dim: length of the feature vector x.
        classes: number of classes.
        hidden: units of each hidden layer; see `HIDDEN_LAYERS` for the paper's.
        dropout: share of each hidden activation that training drops.
        seed: of the initial weights and the dropout; `None` draws anew.
        name: of the model.

    Returns:
        An uncompiled functional model `(batch, input_dim)` → `(batch, classes)` with the layers "features"
        (the input), "hidden_1", "hidden_2", …, "probabilities".

    Example:

    >>> mlp(input_dim=8192, classes=200).count_params()
    4307000

    References:
        - [Barratt, 2017](https://arxiv.org/abs/1710.09511), section 3
    """
    features = keras.Input((input_dim,), name="features")
    return keras.Model(features, _head(features, classes, hidden, dropout, seed), name=name)


def table_mlp(
    columns: Mapping[str, Any],
    classes: int,
    hidden: Sequence[int] = (500, 300),
    dropout: float = 0.0,
    *,
    seed: int | None = None,
    name: str = "table_mlp",
) -> keras.Model:
    """Builds the paper's classifier for the rows of a table: one input a column, encoded in the model itself.

    Numbers are standardised, as are booleans, a missing number being the mean and, where the training data
    lack some, told by a second number; of a category each value has a unit, with one for values that are
    unknown. A text that the training data have nowhere to be missing, `""`, is unknown, too. What is learnt
    of the training data for it is kept in the model, so that whoever calls it gives cells as they are.

    Args:
        columns: of the training data by name, arrays `(examples,)` as `data.columns.to_array` makes them:
            numbers (NaN where missing), booleans, or texts. A column of more than 50 different texts is prose
            or names, and is left out with a warning.
        classes: number of classes.
        hidden: units of each hidden layer; see `HIDDEN_LAYERS` for the paper's.
        dropout: share of each hidden activation that training drops.
        seed: of the initial weights and the dropout; `None` draws anew.
        name: of the model.

    Returns:
        An uncompiled functional model from a dict of columns, each `(batch,)`, to `(batch, classes)`, with
        the layers "features" (all encodings side by side), "hidden_1", …, "probabilities".

    Raises:
        ValueError: if there is no column to read, or one has the name of a layer.

    Example:

    >>> import numpy as np
    >>> wines = {"alcohol": np.array([14.2, np.nan, 12.1]), "colour": np.array(["red", "white", "red"])}
    >>> classifier = table_mlp(wines, classes=2, hidden=())
    >>> classifier.get_layer("features").output.shape  # alcohol, whether it is missing; unknown, red, white
    (None, 5)
    """
    inputs, encoded = {}, []
    for column, of_column in columns.items():
        cells = np.asarray(of_column)
        if column in ("r", "features", "probabilities") or column.startswith("hidden_"):
            raise ValueError(f"a column cannot be called {column!r}, as a layer is; rename it")
        if cells.ndim != 1:
            raise ValueError(f"column {column!r} must hold one cell a row, got the shape {cells.shape}")
        is_text = cells.dtype.kind in "OU"
        values = sorted(set(cells.tolist())) if is_text else []
        if len(values) > _MOST_CATEGORIES:
            warnings.warn(
                f"column {column!r} is left out of the classifier: it holds {len(values)} different texts",
                stacklevel=2,
            )
            continue
        dtype = "string" if is_text else "bool" if cells.dtype.kind == "b" else "float32"
        inputs[column] = keras.Input((), name=column, dtype=dtype)
        if is_text:
            layer = keras.layers.StringLookup(
                vocabulary=values, output_mode="one_hot", name=f"{column}.encoded"
            )
        else:
            known = cells[~np.isnan(cells.astype("float64"))].astype("float64")
            mean, deviation = (known.mean(), known.std() or 1.0) if len(known) else (0.0, 1.0)
            layer = NumberColumn(mean, deviation, len(known) < len(cells), name=f"{column}.encoded")
        encoded.append(layer(inputs[column]))
    if not inputs:
        raise ValueError(f"there is no column to classify by among {', '.join(columns) or 'no columns'}")
    features = keras.layers.Concatenate(name="features")(encoded)
    return keras.Model(inputs, _head(features, classes, hidden, dropout, seed), name=name)


def small_cnn(
    input_shape: tuple[int, int, int] = (64, 64, 3),
    classes: int = 24,
    hidden: Sequence[int] = (500, 300),
    *,
    filters: Sequence[int] = (32, 64, 96, 128),
    dropout: float = 0.0,
    seed: int | None = None,
    name: str = "small_cnn",
) -> keras.Model:
    """Builds a CNN that trains on a CPU, with the paper's dense layers behind it.

    The feature vector x holds every block's maps, averaged and maximised over all positions: what an early
    block sees, such as a colour, reaches r(x) even where the classes do not depend on it.

    Args:
        input_shape: height, width and channels of an image.
        classes: number of classes.
        hidden: units of each hidden layer; see `HIDDEN_LAYERS` for the paper's.
        filters: channels of each block (convolution, batch normalisation, ReLU, max pooling). The first
            block's convolution has stride 2; every block halves height and width.
        dropout: share of each hidden activation that training drops.
        seed: of the initial weights and the dropout; `None` draws anew.
        name: of the model.

    Returns:
        An uncompiled functional model `(batch, height, width, channels)`, integers or floats in 0..255, →
        `(batch, classes)` with the layers "image" (the input), "block_1", …, "features", "hidden_1", …,
        "probabilities".

    Example:

    >>> small_cnn(classes=24).get_layer("features").output.shape
    (None, 640)
    """
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(image)
    pooled = []
    for index, channels in enumerate(filters):
        block = f"block_{index + 1}"
        x = keras.layers.Conv2D(
            channels,
            kernel_size=3 if index else 5,
            strides=1 if index else 2,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(_shift(seed, 100 + index)),
            name=f"{block}_conv",
        )(x)
        # Keras' momentum of 0.99 would take more steps to settle than a small data set has in an epoch.
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"{block}_norm")(x)
        x = keras.layers.ReLU(name=f"{block}_relu")(x)
        x = keras.layers.MaxPooling2D(padding="same", name=block)(x)
        pooled.append(keras.layers.GlobalAveragePooling2D(name=f"{block}_average")(x))
        pooled.append(keras.layers.GlobalMaxPooling2D(name=f"{block}_max")(x))
    features = keras.layers.Concatenate(name="features")(pooled)
    return keras.Model(image, _head(features, classes, hidden, dropout, seed), name=name)


def _head(
    x: keras.KerasTensor, classes: int, hidden: Sequence[int], dropout: float, seed: int | None
) -> keras.KerasTensor:
    for index, units in enumerate(hidden):
        initializer = keras.initializers.HeUniform(_shift(seed, index))
        hidden_name = f"hidden_{index + 1}"
        x = keras.layers.Dense(units, "relu", kernel_initializer=initializer, name=hidden_name)(x)
        if dropout:
            x = keras.layers.Dropout(dropout, seed=_shift(seed, index), name=f"{hidden_name}_dropout")(x)
    initializer = keras.initializers.GlorotUniform(_shift(seed, len(hidden)))
    # float32: under a mixed precision policy a half-precision softmax would lose small probabilities.
    return keras.layers.Dense(
        classes, "softmax", kernel_initializer=initializer, dtype="float32", name="probabilities"
    )(x)


def _shift(seed: int | None, by: int) -> Any:
    """Gives each layer a seed of its own: equal seeds would make equal-shaped layers equal."""
    return None if seed is None else seed + by


def feature_extractor(classifier: keras.Model) -> keras.Model:
    """Returns the part of a classifier that `small_cnn` built, from the image to the layer "features".

    Args:
        classifier: a model with a layer "features" that is not its input.

    Raises:
        ValueError: if there is no such layer.

    Example:

    >>> feature_extractor(small_cnn()).output_shape
    (None, 640)
    """
    names = [layer.name for layer in classifier.layers]
    if "features" not in names or isinstance(classifier.get_layer("features"), keras.layers.InputLayer):
        raise ValueError(
            f"classifier {classifier.name!r} has no layer 'features' between input and output; "
            f"its layers: {names}"
        )
    return keras.Model(classifier.input, classifier.get_layer("features").output, name="feature_extractor")


def join(extractor: keras.Model, head: keras.Model) -> keras.Model:
    """Puts a classifier of feature vectors, as `mlp` builds it, behind a feature extractor.

    Args:
        extractor: a model whose output is a feature vector, such as `feature_extractor` gives.
        head: a chain of layers that reads such vectors.

    Returns:
        A model from the extractor's input to the head's output that shares the weights and keeps the names
        of the layers of both.

    Example:

    >>> join(feature_extractor(small_cnn(hidden=())), mlp(640, 24, hidden=(500,))).output_shape
    (None, 24)
    """
    x = extractor.output
    for layer in head.layers[1:]:
        x = layer(x)
    return keras.Model(extractor.input, x, name=extractor.name)
