"""Attributions of words: worked out by hand for a decoder that is a sigmoid, and their life in a model."""

import keras
import numpy as np
import pytest
from one_word import chain, log_sigmoid, says_yes

from interpnet_tf import Explanation, InterpNet, analysis

# r = (features, hidden) = (1, 0.5, 1); "yes" has the log-probability log sigmoid(1 * 1 + 2 * 0.5 - 1 * 1).
X = np.array([[1.0, 0.5]], "float32")
WHOLE = log_sigmoid(1) - log_sigmoid(0)


@pytest.fixture(scope="module")
def model():
    return says_yes(chain(), ["features", "hidden"], [1, 2, -1])


def attribute(model, **options):
    return model.attribute(X, ["yes yes"], baseline="zeros", **options)[0]


def test_integrated_gradients_share_out_by_the_linear_parts(model):
    # Of a function of one linear number z the path is one of z alone: each unit gets its share of z = 1.
    found = attribute(model)
    assert found.words == ("yes", "yes")
    assert found.layers == ("features", "hidden")
    np.testing.assert_allclose(found.units, [[WHOLE, WHOLE, -WHOLE]] * 2, rtol=1e-5)
    np.testing.assert_allclose(found.scores, [[2 * WHOLE, -WHOLE]] * 2, rtol=1e-5)
    np.testing.assert_allclose(found.differences, [WHOLE] * 2, rtol=1e-5)
    assert found.completeness_error.max() < 1e-5


def test_few_steps_are_less_complete(model):
    # One step is at a quarter of the path: the slope of log sigmoid at 0.25 is sigmoid(-0.25).
    found = attribute(model, steps=1)
    slope = 1 / (1 + np.exp(0.25))
    np.testing.assert_allclose(found.units[0], [slope, slope, -slope], rtol=1e-5)
    np.testing.assert_allclose(found.completeness_error, abs(slope - WHOLE), rtol=1e-3)


def test_layer_ablation_takes_one_layer_away(model):
    # Without features z = -1, without hidden z = 2.
    expected = [log_sigmoid(1) - log_sigmoid(-1), log_sigmoid(1) - log_sigmoid(2)]
    found = attribute(model, method="layer_ablation")
    np.testing.assert_allclose(found.scores, [expected] * 2, rtol=1e-5)
    assert found.units is None


def test_shapley_values_are_the_mean_over_both_orders(model):
    nothing, features, hidden, both = log_sigmoid([0, 2, -1, 1])
    expected = [(features - nothing + both - hidden) / 2, (hidden - nothing + both - features) / 2]
    found = attribute(model, method="shapley")
    np.testing.assert_allclose(found.scores, [expected] * 2, rtol=1e-5)
    assert found.completeness_error.max() < 1e-6


def test_counts_from_another_example(model):
    another = model.introspect(np.array([[0.0, 0.5]]))  # z = 1 there too
    found = model.attribute(X, ["yes"], baseline=another)[0]
    assert found.units[0, 1] == 0
    np.testing.assert_allclose(found.differences, 0, atol=1e-6)
    # Both changes are of size 1 and cancel each other: slope sigmoid(-1).
    np.testing.assert_allclose(found.units[0, ::2], np.array([1, -1]) / (1 + np.e), rtol=1e-5)
    assert found.relative_error[0] < 1e-3  # against 0.01 nats, as the difference is none


def test_attributes_nothing_to_an_example_that_is_the_baseline(model):
    found = model.attribute(X, ["yes no"], baseline=model.introspect(X)[0])[0]
    assert not found.scores.any()
    assert found.relative_error.tolist() == [0, 0]


def test_an_empty_sentence_has_no_rows(model):
    said = Explanation("crow", 0, 0.9, "", (), ())
    for method in ("integrated_gradients", "layer_ablation", "shapley"):
        found = model.attribute(X, [said], method=method)[0]
        assert found.scores.shape == (0, 2)
        assert found.completeness_error.shape == (0,)


def test_no_examples_give_no_attributions(model):
    assert model.attribute(X[:0], []) == []


def test_names_words_and_units(model):
    found = model.attribute(X, ["no yes"], baseline="zeros")[0]
    assert found.top_units("yes", "features", count=1) == found.top_units(1, 0)[:1]
    assert [unit for unit, _ in found.top_units("no", "features")] == [0, 1]
    assert found.top_units("no", "hidden")[0][1] == pytest.approx(
        -(log_sigmoid(-1) - log_sigmoid(0)), rel=1e-4
    )
    assert str(found).splitlines()[2].split() == ["yes", "+0.76", "-0.38"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "gradients"}, "method must be one of 'integrated_gradients', .*, got 'gradients'"),
        ({"baseline": "median"}, "baseline must be 'mean', 'zeros' or an array .*got 'median'"),
        ({"baseline": np.zeros(4)}, r"baseline must .*\(3,\) or \(1, 3\).*an array of shape \(4,\)"),
        ({"baseline": np.full(3, np.nan)}, "baseline holds NaN"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"explanations": ["yes", "no"]}, "there are 1 examples and 2 explanations"),
        ({"explanations": "yes"}, "explanations must be a list"),
        ({"explanations": [""]}, "which has no word"),
        ({"method": "attention"}, "OneWord reads r.x. as one vector"),
    ],
)
def test_bad_input_is_named(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.attribute(X, **{"explanations": ["yes"], **options})


def test_bad_questions_are_named(model):
    found, of_layers = attribute(model), attribute(model, method="shapley")
    with pytest.raises(ValueError, match=r"word must be one of \['yes', 'yes'\] .*got 'maybe'"):
        found.top_units("maybe", "hidden")
    with pytest.raises(ValueError, match=r"layer must be one of \['features', 'hidden'\] .*got 2"):
        found.top_units(0, 2)
    with pytest.raises(ValueError, match="'shapley' tells layers only"):
        of_layers.top_units(0, 0)
    with pytest.raises(ValueError, match="there is no heat map"):
        found.heat_map(0)


def test_methods_are_listed():
    assert list(analysis.METHODS) == ["integrated_gradients", "layer_ablation", "shapley", "attention"]


def test_says_of_a_trained_model_what_it_says_by_default(trained, valid_birds):
    found = trained.attribute(valid_birds)
    said = trained.explain(valid_birds)
    assert [one.words for one in found] == [one.words for one in said]
    for one, explanation in zip(found, said, strict=True):
        np.testing.assert_allclose(
            one.log_probabilities, explanation.log_probabilities[: len(one.words)], atol=1e-4
        )
        assert one.relative_error.max() < 0.02
        np.testing.assert_allclose(one.units.sum(axis=1), one.scores.sum(axis=1), atol=1e-4)
        assert one.layers == ("features", "hidden_1", "probabilities")


def test_batches_and_neighbours_change_nothing(trained, valid_birds):
    sentences = ["a red bird.", "this bird is black."] * 3
    x = valid_birds.inputs[:6]
    for method in ("integrated_gradients", "layer_ablation", "shapley"):
        together = trained.attribute(x, sentences, method=method)
        options = {"method": method, "batch_size": 1}
        alone = [trained.attribute(x[i : i + 1], sentences[i : i + 1], **options)[0] for i in range(6)]
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


def test_graphs_are_traced_for_the_first_lengths_only(trained, valid_birds):
    sentences = ["a bird.", "a red bird.", "this bird is black.", "a black bird with a long bill."]
    for sentence in sentences[:2]:
        trained.attribute(valid_birds.inputs[:1], [sentence])
    count = trained._path_gradients.experimental_get_tracing_count()
    trained.attribute(valid_birds.inputs[:4], sentences)
    assert trained._path_gradients.experimental_get_tracing_count() == count


def test_more_than_eight_layers_are_drawn():
    inputs = x = keras.Input((1,), name="x")
    for place in range(9):
        x = keras.layers.Dense(1, kernel_initializer="ones", name=f"d{place}")(x)
    outputs = keras.layers.Dense(2, "softmax")(x)
    # Only the last of nine equal layers is heard.
    model = says_yes(keras.Model(inputs, outputs), [f"d{place}" for place in range(9)], [0] * 8 + [1])
    options = {"method": "shapley", "baseline": "zeros", "steps": 2, "seed": 0}
    found = model.attribute(np.ones((1, 1)), ["yes"], **options)[0]
    np.testing.assert_allclose(found.scores[0], [0] * 8 + [WHOLE], rtol=1e-4, atol=1e-6)


def test_a_loaded_model_attributes_the_same(trained, valid_birds, tmp_path):
    trained.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again, InterpNet)
    x = valid_birds.inputs[:2]
    for one, other in zip(trained.attribute(x), again.attribute(x), strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


def test_mixed_precision_is_attributed_in_float32(make_model, valid_birds):
    x, said = valid_birds.inputs[:2], ["a red bird."] * 2
    mixed, exact = make_model(dtype="mixed_bfloat16"), make_model()
    for change in (1, 2):  # the weights of now count
        weights = [change * part for part in exact.decoder.get_weights()]
        mixed.decoder.set_weights(weights)
        exact.decoder.set_weights(weights)
        for method in ("integrated_gradients", "layer_ablation"):
            found, expected = (model.attribute(x, said, method=method) for model in (mixed, exact))
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one.scores, other.scores)
                np.testing.assert_array_equal(one.log_probabilities, other.log_probabilities)
    assert len(mixed.weights) == len(exact.weights)  # those of the copy are not the model's
