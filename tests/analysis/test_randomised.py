"""The randomised classifier."""

import keras
import numpy as np
from loudest import loudest_model

from interpnet_tf.analysis.faithfulness_metrics import METRICS, Material, words_changed
from interpnet_tf.analysis.faithfulness_metrics.randomised import _from_the_top, _permuted

METRIC = METRICS["randomised_classifier"]


def test_words_changed():
    # ROUGE-L with b = 1.2: precision and recall 2/3 of "a black bird" beside "a red bird" give 2/3.
    changed = words_changed(["a black bird", "a crow"], ["a red bird", "a crow"])
    np.testing.assert_allclose(changed, [1 / 3, 0], atol=1e-12)


def test_the_order_from_the_top():
    inputs = keras.Input((4,), name="features")
    block = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="inner")], name="block")
    hidden = keras.layers.Dense(3, name="hidden")(block(inputs))
    hidden = keras.layers.ReLU(name="relu")(hidden)
    outputs = keras.layers.Activation("softmax", name="softmax")(keras.layers.Dense(2, name="top")(hidden))
    order = _from_the_top(keras.Model(inputs, outputs))
    found = [(path, [layer.name for layer in layers if layer.weights]) for path, layers in order]
    assert found == [("softmax", ["top"]), ("relu", ["hidden"]), ("block", ["inner"]), ("features", [])]


def test_permuted_weights_are_the_same_numbers():
    weights = np.arange(12.0).reshape(3, 4)
    other = _permuted(weights, np.random.default_rng(0))
    assert other.shape == (3, 4)
    assert sorted(other.reshape(-1)) == list(range(12))
    assert (other != weights).any()


def test_who_hears_the_decision_changes_and_the_classifier_stays(make_model, birds):
    model = loudest_model(make_model, birds)
    weights = model.classifier.get_weights()
    material = Material(model, birds, birds)
    figures, details = METRIC.figures(material), METRIC.details(material)
    assert list(details) == ["from probabilities", "from hidden_1"]  # the features are read
    np.testing.assert_array_equal(figures, details["from hidden_1"])
    assert set(figures) <= {0.0, 1.0}  # it says one word, three times
    assert figures.any()
    for before, after in zip(weights, model.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_caption_stays(make_model, birds):
    material = Material(loudest_model(make_model, birds, ["features"]), birds, birds)
    assert len(set(material.said)) == 3
    assert METRIC.figures(material).tolist() == [0] * 12
