import keras
import numpy as np
import pytest

from interpnet_tf.introspection.downstream import decisive_vectors, downstream


@pytest.fixture(scope="module")
def classifier():
    inputs = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(3, "relu", name="hidden_1")(inputs)
    second = keras.layers.Dense(3, "relu", name="hidden_2")(hidden)
    added = keras.layers.Add(name="added")([hidden, second])
    return keras.Model(inputs, keras.layers.Dense(2, "softmax", name="probabilities")(added))


def test_gives_what_the_classifier_gives(classifier):
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    hidden = keras.Model(classifier.input, classifier.get_layer("hidden_1").output)(x)
    np.testing.assert_allclose(downstream(classifier, "hidden_1")(hidden), classifier(x), atol=1e-6)
    np.testing.assert_allclose(downstream(classifier, "x")(x), classifier(x), atol=1e-6)


def test_a_layer_that_something_passes_by_tells_no_output(classifier):
    assert downstream(classifier, "hidden_2") is None
    assert downstream(classifier, "probabilities") is None
    assert list(decisive_vectors(classifier)) == ["x", "hidden_1"]


def test_inside_of_a_nested_model():
    inner_inputs = keras.Input((4,), name="inner_x")
    inner = keras.Model(inner_inputs, keras.layers.Dense(3, name="deep")(inner_inputs), name="body")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="out")(inner(inputs)))
    x = np.ones((1, 4), "float32")
    np.testing.assert_allclose(downstream(model, "body")(inner(x)), model(x), atol=1e-6)
    assert downstream(model, "body/deep") is None


def test_unknown_layers_are_refused(classifier):
    with pytest.raises(ValueError, match="nothing"):
        downstream(classifier, "nothing")
