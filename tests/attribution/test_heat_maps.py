"""Heat maps: where in a map or sequence a word's and the class's share lies."""

import keras
import numpy as np
import pytest
from one_word import log_sigmoid, says_yes

from interpnet_tf import analysis

IMAGE = np.array([[[[0.0], [1.0]], [[2.0], [1.0]]]], "float32")  # of mean 1
WHOLE = log_sigmoid(1) - log_sigmoid(0)


def pictures(channels_first=False) -> keras.Model:
    """An image, of one channel; the logits are its mean and 0."""
    shape, form = ((1, 2, 2), "channels_first") if channels_first else ((2, 2, 1), "channels_last")
    inputs = keras.Input(shape, name="image")
    pooled = keras.layers.GlobalAveragePooling2D(data_format=form, name="pooled")(inputs)
    output = keras.layers.Dense(2, "softmax", name="output")
    classifier = keras.Model(inputs, output(pooled))
    output.set_weights([np.array([[1.0, 0.0]]), np.zeros(2)])
    return classifier


def test_of_average_pooling_each_position_has_its_share_of_the_mean():
    classifier = pictures()
    model = says_yes(classifier, ["image", "pooled"], [1, 0])
    found = model.attribute(IMAGE, ["yes"], baseline="zeros")
    expected = WHOLE * IMAGE[0, :, :, 0] / 4
    np.testing.assert_allclose(found[0].heat_map("yes"), expected, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(found[0].heat_map(0, "image").sum(), found[0].scores[0, 0], rtol=1e-5)
    with pytest.raises(ValueError, match=r"layer 'pooled' comes from no map; those that do are \['image'\]"):
        found[0].heat_map(0, "pooled")


def test_a_baseline_stands_at_every_position():
    classifier = pictures()
    found = says_yes(classifier, ["image"], [1]).attribute(IMAGE, ["yes"], baseline=np.array([0.5]))[0]
    slope = (log_sigmoid(1) - log_sigmoid(0.5)) / 0.5
    np.testing.assert_allclose(found.heat_map(0), slope * (IMAGE[0, :, :, 0] - 0.5) / 4, rtol=1e-4, atol=1e-6)


def test_channels_may_come_first():
    classifier = pictures(channels_first=True)
    image = np.moveaxis(IMAGE, 3, 1)
    model = says_yes(classifier, ["image"], [1])
    expected = WHOLE * IMAGE[0, :, :, 0] / 4
    found = model.attribute(image, ["yes"], baseline="zeros")[0]
    np.testing.assert_allclose(found.heat_map(0), expected, rtol=1e-4, atol=1e-7)
    found = analysis.attribute_decision(model, image, baseline="zeros")[0]
    np.testing.assert_allclose(found.heat_map(), expected, rtol=1e-4, atol=1e-7)


def test_of_greatest_values_the_greatest_position_has_all():
    classifier = pictures()
    model = says_yes(classifier, ["image"], [1], pooling=keras.layers.GlobalMaxPooling2D())
    found = model.attribute(IMAGE, ["yes"], baseline="zeros")[0]
    expected = [[0, 0], [log_sigmoid(2) - log_sigmoid(0), 0]]
    np.testing.assert_allclose(found.heat_map(0), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("baseline", ["zeros", "mean"])
def test_of_other_poolings_the_sum_is_the_score(baseline):
    inputs = keras.Input((3, 3, 2), name="image")
    outputs = keras.layers.Dense(2, "softmax")(keras.layers.GlobalAveragePooling2D()(inputs))
    pooling = keras.layers.GlobalMaxPooling2D()
    model = says_yes(keras.Model(inputs, outputs), ["image"], [1, -2], pooling=pooling)
    image = np.random.default_rng(0).normal(size=(1, 3, 3, 2)).astype("float32")
    found = model.attribute(image, ["yes no"], baseline=baseline)[0]
    for word in range(2):
        assert found.heat_map(word).sum() == pytest.approx(found.scores[word, 0], abs=1e-5)


def test_padding_has_no_share():
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    embedding = keras.layers.Embedding(3, 1, mask_zero=True, name="embedding")
    pooled = keras.layers.GlobalAveragePooling1D()(embedding(tokens))
    classifier = keras.Model(tokens, keras.layers.Dense(2, "softmax")(pooled))
    embedding.set_weights([np.array([[9.0], [1.0], [3.0]])])
    model = says_yes(classifier, ["embedding"], [0.5])
    # The mean of the two words is 2, half of it 1; they have 1/4 and 3/4 of it, the padding nothing.
    found = model.attribute(np.array([[1, 2, 0]]), ["yes"], baseline="zeros")[0]
    np.testing.assert_allclose(found.heat_map(0), [WHOLE / 4, WHOLE * 3 / 4, 0], rtol=1e-4, atol=1e-6)


def test_the_class_has_a_map_in_the_same_units():
    classifier = pictures()
    model = says_yes(classifier, ["image", "pooled"], [1, 0])
    found = analysis.attribute_decision(model, IMAGE, baseline="zeros")[0]
    np.testing.assert_allclose(found.units, [WHOLE, WHOLE], rtol=1e-5)
    np.testing.assert_allclose(found.heat_map(), WHOLE * IMAGE[0, :, :, 0] / 4, rtol=1e-4, atol=1e-7)


def test_channels_that_a_pooling_mixes_have_no_baseline_but_zeros():
    inputs = keras.Input((2, 2, 1), name="image")
    outputs = keras.layers.Dense(2, "softmax")(keras.layers.Flatten()(inputs))
    model = says_yes(keras.Model(inputs, outputs), ["image"], [1] * 4, pooling=keras.layers.Flatten())
    found = analysis.attribute_decision(model, IMAGE, baseline="zeros")[0]
    assert np.isnan(found.units).all()
    assert found.completeness_error.max() < 1e-4
    with pytest.raises(
        ValueError, match="baseline tells 4 pooled numbers of 'image', from which its 1 channels"
    ):
        analysis.attribute_decision(model, IMAGE, baseline=np.ones(4))


def test_maps_can_be_left_out():
    classifier = pictures()
    found = says_yes(classifier, ["image"], [1]).attribute(IMAGE, ["yes"], heat_maps=False)[0]
    with pytest.raises(ValueError, match="heat_maps=False"):
        found.heat_map(0)
