"""Attributions of the class, worked out by hand: layers behind a changed one follow."""

import keras
import numpy as np
import pytest
from one_word import chain, log_sigmoid, says_yes

from interpnet_tf import analysis

# The logits are (first feature, 0): the probability of class 0 is sigmoid(1).
X = np.array([[1.0, 0.5]], "float32")
WHOLE = log_sigmoid(1) - log_sigmoid(0)
OF_ZEROS = {"baseline": "zeros"}


@pytest.fixture(scope="module")
def model():
    return says_yes(chain(), ["features", "hidden"], [1, 2, -1], class_names=["crow", "gull"])


def test_each_layer_is_complete_on_its_own(model):
    found = analysis.attribute_decision(model, X, **OF_ZEROS)[0]
    assert (found.label, found.class_id) == ("crow", 0)
    np.testing.assert_allclose(found.scores, [WHOLE, WHOLE], rtol=1e-5)
    np.testing.assert_allclose(found.units, [WHOLE, 0, WHOLE], rtol=1e-5, atol=1e-7)
    assert found.log_probability == pytest.approx(log_sigmoid(1), rel=1e-5)
    assert found.completeness_error.max() < 1e-5
    assert found.top_units("features", 1)[0][0] == 0


def test_ablation_takes_one_layer_away(model):
    found = analysis.attribute_decision(model, X, method="layer_ablation", **OF_ZEROS)[0]
    np.testing.assert_allclose(found.scores, [WHOLE, WHOLE], rtol=1e-5)
    np.testing.assert_allclose(found.baseline_log_probabilities, log_sigmoid([0, 0]), rtol=1e-5)


def test_shapley_values_share_out_what_both_layers_carry(model):
    # Nothing comes through unless both stand: the worth is WHOLE of both together and of no other coalition.
    found = analysis.attribute_decision(model, X, method="shapley", **OF_ZEROS)[0]
    np.testing.assert_allclose(found.scores, [WHOLE / 2, WHOLE / 2], rtol=1e-5)
    assert found.completeness_error.max() < 1e-6


def test_any_class_can_be_asked_for(model):
    # Of the other class: log sigmoid(-1) - log sigmoid(0).
    found = analysis.attribute_decision(model, np.repeat(X, 2, axis=0), class_id=["gull", 0], **OF_ZEROS)
    assert [one.label for one in found] == ["gull", "crow"]
    np.testing.assert_allclose(found[0].scores, log_sigmoid(-1) - log_sigmoid(0), rtol=1e-5)
    np.testing.assert_allclose(found[1].scores, WHOLE, rtol=1e-5)


def test_the_predicted_class_is_the_default(model):
    found = analysis.attribute_decision(model, np.array([[-2.0, 0.0], [2.0, 0.0]]), **OF_ZEROS)
    assert [one.class_id for one in found] == [1, 0]


def test_the_output_itself_is_the_logarithm(model):
    with_output = says_yes(chain(), ["probabilities"], [1, 0])
    found = analysis.attribute_decision(with_output, X, baseline=np.array([0.5, 0.5]))[0]
    np.testing.assert_allclose(found.units, [np.log(1 / (1 + np.exp(-1)) / 0.5), 0], rtol=1e-5)


def test_a_layer_beside_the_path_stays():
    # Two branches are added up; with one at zero the other is still there.
    inputs = keras.Input((2,), name="features")
    first, second = (keras.layers.Dense(1, name=name) for name in ("first", "second"))
    output = keras.layers.Dense(1, "sigmoid", name="output")
    classifier = keras.Model(inputs, output(keras.layers.Add()([first(inputs), second(inputs)])))
    first.set_weights([np.array([[1.0], [0.0]]), np.zeros(1)])
    second.set_weights([np.array([[0.0], [2.0]]), np.zeros(1)])
    output.set_weights([np.array([[1.0]]), np.zeros(1)])
    found = analysis.attribute_decision(says_yes(classifier, ["first", "second"], [1, 1]), X, **OF_ZEROS)[0]
    # z = 1 + 2 * 0.5 = 2; without either it is 1. The class is the second of the two of one unit.
    assert found.class_id == 1
    np.testing.assert_allclose(found.scores, log_sigmoid(2) - log_sigmoid(1), rtol=1e-4)


def test_a_layer_in_a_nested_model_is_reached():
    inner = chain()
    inner.name = "inner"
    inputs = keras.Input((2,), name="pixels")
    classifier = keras.Model(inputs, inner(inputs))
    found = analysis.attribute_decision(says_yes(classifier, ["inner/hidden"], [1]), X, **OF_ZEROS)[0]
    np.testing.assert_allclose(found.units, [WHOLE], rtol=1e-5)


def test_word_and_class_have_the_same_units(trained, valid_birds):
    words = trained.attribute(valid_birds)
    classes = analysis.attribute_decision(trained, valid_birds)
    for word, decision in zip(words, classes, strict=True):
        assert word.units.shape[1:] == decision.units.shape
        assert word.layers == decision.layers
        assert decision.completeness_error.max() < 0.01
        np.testing.assert_allclose(
            [decision.units[part].sum() for part in decision.slices.values()], decision.scores, atol=1e-4
        )


@pytest.mark.parametrize("method", ["integrated_gradients", "layer_ablation", "shapley"])
def test_batches_change_nothing(trained, valid_birds, method):
    together = analysis.attribute_decision(trained, valid_birds, method=method)
    alone = analysis.attribute_decision(trained, valid_birds, method=method, batch_size=3)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


def test_no_examples_give_no_attributions(model):
    for method in ("integrated_gradients", "layer_ablation", "shapley"):
        assert analysis.attribute_decision(model, X[:0], method=method) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "attention"}, "method must be one of 'integrated_gradients', .*got 'attention'"),
        ({"class_id": "wren"}, "wren"),
        ({"class_id": [0, 1]}, "class_id names 2 classes for 1 examples"),
        ({"baseline": np.zeros(7)}, "baseline must be"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
    ],
)
def test_bad_input_is_named(model, options, message):
    with pytest.raises(ValueError, match=message):
        analysis.attribute_decision(model, X, **options)


def test_layers_only_have_no_units(model):
    found = analysis.attribute_decision(model, X, method="shapley")[0]
    with pytest.raises(ValueError, match="tells layers only"):
        found.top_units(0)
    with pytest.raises(ValueError, match="there is no heat map"):
        found.heat_map()
