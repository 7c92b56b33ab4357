"""Maps are pooled over their positions, wherever the classifier keeps the channels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf import Introspector
from interpnet_tf.introspection.data_formats import FIRST, LAST, data_format

L, ops = keras.layers, keras.ops
FIRST_MAPS = np.random.default_rng(0).normal(size=(2, 3, 6, 5)).astype("float32")


def runs_channels_first() -> bool:
    """Whether TensorFlow convolves channels-first maps here: on processors oneDNN does, nothing else."""
    try:
        tf.nn.conv2d(tf.zeros((1, 1, 2, 2)), tf.zeros((1, 1, 1, 1)), 1, "SAME", data_format="NCHW")
    except tf.errors.UnimplementedError:
        return False
    return True


needs_channels_first = pytest.mark.skipif(
    not runs_channels_first(), reason="TensorFlow convolves no channels-first maps without oneDNN"
)


def classifier(inputs, maps, pooling):
    return keras.Model(inputs, L.Dense(4, "softmax")(pooling(maps)))


def channels_first_cnn():
    inputs = keras.Input((3, 6, 5), name="picture")
    x = L.Rescaling(1.0, name="scaled")(inputs)
    x = L.Conv2D(4, 3, padding="same", data_format=FIRST, name="conv")(x)
    x = L.BatchNormalization(axis=1, name="norm")(x)
    y = L.Activation("relu", name="relu")(x)
    y = L.Dropout(0.1, name="dropout")(L.Add(name="sum")([x, y]))
    y = L.ZeroPadding2D(1, data_format=FIRST, name="padded")(ops.tanh(y))
    return classifier(inputs, y, L.GlobalMaxPooling2D(data_format=FIRST))


@needs_channels_first
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("path", ["picture", "scaled", "conv", "norm", "relu", "sum", "dropout", "padded"])
def test_channels_first_maps_are_averaged_over_their_positions(path, nested):
    model = channels_first_cnn()
    if nested:
        inputs = keras.Input((3, 6, 5), name="outer_picture")
        path = f"{model.name}/{path}" if path != "picture" else "outer_picture"
        model = keras.Model(inputs, model(inputs))
    activations = Introspector(model, [path])(FIRST_MAPS)
    np.testing.assert_allclose(
        activations["r"], np.asarray(activations[path]).mean(axis=(2, 3)), rtol=1e-4, atol=1e-6
    )


@needs_channels_first
@pytest.mark.parametrize("pooling", ["compact_bilinear", L.GlobalMaxPooling2D(data_format=LAST)])
def test_other_poolings_get_the_channels_where_they_expect_them(pooling):
    model = channels_first_cnn()
    r = Introspector(model, ["conv"], pooling)(FIRST_MAPS)["r"]
    maps = keras.Model(model.inputs, model.get_layer("conv").output)(FIRST_MAPS)
    last = keras.Input((6, 5, 4))
    same = classifier(last, L.Identity(name="maps")(last), L.GlobalAveragePooling2D(data_format=LAST))
    expected = Introspector(same, ["maps"], pooling)(np.moveaxis(np.asarray(maps), 1, -1))["r"]
    np.testing.assert_allclose(r, expected, rtol=1e-4, atol=1e-6)


def test_a_pooling_of_channels_first_maps():
    r = Introspector(channels_first_cnn(), ["picture"], L.GlobalMaxPooling2D(data_format=FIRST))(FIRST_MAPS)
    np.testing.assert_array_equal(r["r"], FIRST_MAPS.max(axis=(2, 3)))


@needs_channels_first
def test_sequences_and_volumes():
    sequence = keras.Input((3, 7), name="sequence")
    x = L.Conv1D(4, 2, data_format=FIRST, name="conv")(sequence)
    model = classifier(sequence, x, L.GlobalAveragePooling1D(data_format=FIRST))
    found = Introspector(model, ["sequence", "conv"])(np.ones((2, 3, 7)))
    assert found["r"].shape == (2, 3 + 4)
    volume = keras.Input((3, 4, 5, 6), name="volume")
    x = L.MaxPooling3D(2, data_format=FIRST, name="pooled")(volume)
    model = classifier(volume, x, L.GlobalAveragePooling3D(data_format=FIRST))
    assert Introspector(model, ["volume", "pooled"]).width == 3 + 3


def test_permuted_maps_are_channels_last():
    inputs = keras.Input((3, 6, 5), name="picture")
    x = L.Permute((2, 3, 1), name="turned")(inputs)
    x = L.Conv2D(4, 3, name="conv", data_format=LAST)(x)
    model = classifier(inputs, x, L.GlobalAveragePooling2D(data_format=LAST))
    found = Introspector(model, ["turned", "conv"])(FIRST_MAPS)
    np.testing.assert_allclose(found["r"][:, :3], FIRST_MAPS.mean(axis=(2, 3)), rtol=1e-4, atol=1e-6)
    assert found["r"].shape == (2, 3 + 4)


@pytest.mark.parametrize("setting", [FIRST, LAST])
def test_where_no_layer_tells_keras_setting_counts_for_maps_only(setting):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(setting)
    try:
        assert data_format(L.Activation("relu")(keras.Input((3, 6, 5)))) == setting
        assert data_format(L.Activation("relu")(keras.Input((7, 3)))) == LAST
        ids = keras.Input((7,), dtype="int32")
        model = classifier(ids, L.Embedding(9, 4, name="words")(ids), L.Flatten())
        assert Introspector(model, ["words"]).width == 4
    finally:
        keras.config.set_image_data_format(before)
