"""Exports read pictures where the classifier or the user says so, and never by the shape alone."""

import json
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf import classifiers
from interpnet_tf.export.input_kind import input_kind

L = keras.layers


def classifier(prepare=lambda x: x, shape=(8, 8, 3), dtype="float32"):
    image = keras.Input(shape, dtype=dtype)
    x = L.Conv2D(4, 3)(prepare(image))
    return keras.Model(
        image, L.Dense(3, "softmax", name="probabilities")(L.GlobalAveragePooling2D(name="pooled")(x))
    )


def nested(prepare):
    return lambda x: classifier_maps(prepare)(L.RandomFlip()(x))


def classifier_maps(prepare):
    image = keras.Input((8, 8, 3))
    return keras.Model(image, L.Conv2D(3, 1)(prepare(image)))


IMAGENET = L.Normalization(
    mean=[123.675, 116.28, 103.53], variance=[58.395**2, 57.12**2, 57.375**2], name="imagenet"
)


@pytest.mark.parametrize(
    "prepare",
    {
        "0 to 1": L.Rescaling(1 / 255),
        "-1 to 1": L.Rescaling(1 / 127.5, -1),
        "two layers": IMAGENET,
        "division": lambda x: x / 255,
        "tf": keras.applications.mobilenet_v2.preprocess_input,
        "torch": keras.applications.densenet.preprocess_input,
        "caffe": keras.applications.resnet50.preprocess_input,
        "augmented": lambda x: L.Rescaling(1 / 255)(L.RandomFlip()(L.ZeroPadding2D(2)(x))),
        "nested": nested(L.Rescaling(1 / 255)),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_classifier_that_prepares_pixels_reads_pictures(prepare):
    assert input_kind(classifier(prepare[1])) == "picture"


def test_ours_and_whole_numbers_are_pictures():
    assert input_kind(classifiers.small_cnn((32, 32, 3), 3, (4,), filters=(4,))) == "picture"
    assert (
        input_kind(keras.Sequential([keras.Input((8, 8, 1)), L.Rescaling(1 / 255), L.Flatten()])) == "picture"
    )
    assert input_kind(classifier(L.Rescaling(0.1), dtype="uint8")) == "picture"


@pytest.mark.parametrize(
    "prepare",
    {
        "nothing": lambda x: x,
        "decibels to 0..1": L.Rescaling(1 / 80, 1),
        "standard scores of decibels": L.Normalization(mean=-40.0, variance=400.0, axis=None),
        "nested": nested(lambda x: x),
        "behind weights": lambda x: L.Rescaling(1 / 255)(L.Conv2D(3, 1)(x)),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_classifier_of_other_maps_reads_arrays(prepare):
    with pytest.warns(UserWarning, match="input='picture'"):
        assert input_kind(classifier(prepare[1])) == "array"


def test_maps_of_one_channel_and_vectors_are_arrays_without_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert input_kind(classifier(shape=(16, 8, 1))) == "array"
        assert input_kind(classifiers.mlp(5, 3)) == "array"
        assert input_kind(classifier(), "array") == "array"


def test_the_user_decides():
    assert input_kind(classifier(), "picture") == "picture"
    assert input_kind(classifier(L.Rescaling(1 / 255)), "array") == "array"
    with pytest.raises(ValueError, match=r"height, width.*reads \(5,\)"):
        input_kind(classifiers.mlp(5, 3), "picture")
    with pytest.raises(ValueError, match="got 'image'"):
        input_kind(classifier(), "image")


@pytest.mark.usefixtures("without_beams")
def test_a_spectrogram_is_served_as_it_is(make_model, tmp_path):
    model = make_model(classifier(shape=(16, 8, 1)))
    decibels = (np.random.default_rng(0).normal(size=(4, 16, 8, 1)) * 20 - 40).astype("float32")
    path = model.export(tmp_path / "1", max_batch_size=1, samples=decibels)
    signatures = tf.saved_model.load(str(path)).signatures
    assert "serving_bytes" not in signatures
    served = signatures["serving_default"](x=tf.constant(decibels))
    expected = model.explain(decibels)
    assert served["class_id"].numpy().tolist() == [e.class_id for e in expected]
    np.testing.assert_allclose(served["probability"], [e.probability for e in expected], rtol=1e-3)
    assert json.loads((path / "model_card.json").read_text())["input"] == "array"


@pytest.mark.usefixtures("without_beams")
def test_pictures_are_served_where_the_user_says_so(make_model, tmp_path):
    model = make_model(classifier())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3))
    with pytest.raises(ValueError, match="whole ones from 0 to 255"):
        model.export(tmp_path / "1", samples=pixels / 255, input="picture")
    assert list(tmp_path.iterdir()) == []
    path = model.export(tmp_path / "1", max_batch_size=1, samples=pixels, input="picture")
    card = json.loads((path / "model_card.json").read_text())
    assert card["input"] == "picture"
    assert card["signatures"]["serving_default"]["inputs"]["x"]["dtype"] == "uint8"
    assert "serving_bytes" in card["signatures"]


def test_a_phone_reads_an_array_as_it_is(make_model, phone_client, tmp_path):
    model = make_model(classifier(shape=(16, 8, 1)))
    x = np.random.default_rng(0).normal(size=(1, 16, 8, 1)).astype("float32")
    path = model.export(tmp_path / "sounds.tflite", "litert")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "turned.npy", x.swapaxes(1, 2))
    explainer = phone_client.Explainer(path)
    assert explainer.preprocessing["kind"] == "array"
    said = explainer.explain(explainer.read(tmp_path / "x.npy"))
    assert said.text == model.explain(x)[0].text
    with pytest.raises(ValueError, match="shape"):
        explainer.read(tmp_path / "turned.npy")
