"""Activation patching: what becomes of class and sentence with layers of another example."""

import json

import conftest
import keras
import numpy as np
import pytest
import tensorflow as tf
from loudest import CERTAIN, CROW, GULL, OTHER, ROBIN, loudest_model

from interpnet_tf import Explanation
from interpnet_tf.analysis import Patched, patch
from interpnet_tf.generation.scoring import divergences


@pytest.fixture(scope="module")
def loudest(make_model, birds):
    return loudest_model(make_model, birds)


def test_by_hand(loudest):
    x, source = np.stack([CROW, GULL]), np.stack([GULL, GULL])
    moved, stayed = patch(loudest, x, source, "hidden_1")
    assert (moved.before.label, moved.before.words) == ("crow", ("black",) * 3)
    assert (moved.after.label, moved.after.words) == ("gull", ("white",) * 3)
    np.testing.assert_allclose(moved.before.probabilities, [CERTAIN, OTHER, OTHER], rtol=1e-5)
    np.testing.assert_allclose(moved.after.probabilities, [OTHER, CERTAIN, OTHER], rtol=1e-5)
    assert moved.total_variation == pytest.approx(CERTAIN - OTHER, rel=1e-5)
    # Two words change places: KL = Σ p log(p / q) = (p(black) - p(white)) · 6 · (CERTAIN - OTHER).
    weights = np.exp(6 * np.array([CERTAIN, OTHER, OTHER]))
    total = weights.sum() + loudest.tokenizer.vocabulary_size - 3
    expected = (weights[0] - weights[1]) / total * 6 * (CERTAIN - OTHER)
    np.testing.assert_allclose(moved.divergences, [expected] * 3, rtol=1e-4)
    assert moved.divergence == pytest.approx(expected, rel=1e-4)
    assert stayed.layers == ("hidden_1",)
    assert (stayed.total_variation, stayed.divergences, stayed.before) == (0, (0, 0, 0), stayed.after)


def test_a_layer_that_r_does_not_hold_and_the_input(loudest):
    for layer in ("features", ["features"], ("features", "hidden_1")):
        (patched,) = patch(loudest, CROW[None], ROBIN[None], layer)
        assert (patched.after.label, patched.after.text) == ("robin", "red red red")


def test_the_whole_input_of_another_example_is_that_example(trained, birds):
    x, source = birds.inputs[:6], birds.inputs[1:7]
    patched = patch(trained, x, source, ["features"], batch_size=4)
    conftest.same_explanations([one.before for one in patched], trained.explain(x))
    conftest.same_explanations([one.after for one in patched], trained.explain(source))
    assert min(one.total_variation for one in patched) > 0.5
    expected = [  # of the sentences before
        trained.score_sentences(x, [one.before.text for one in patched]),
        trained.score_sentences(source, [one.before.text for one in patched]),
    ]
    assert np.all(expected[0] > expected[1])
    assert all(len(one.divergences) == len(one.before.words) for one in patched)


def test_own_layers_change_nothing(trained, birds):
    for layers in (["features"], ["hidden_1", "probabilities"]):
        for one in patch(trained, birds.inputs[:3], birds.inputs[:3], layers):
            assert (one.total_variation, set(one.divergences)) == (0, {0})
            assert one.before == one.after


def test_only_what_lies_behind_changes(trained, birds):
    """The probabilities are the last layer: features and hidden layers of r(x) stay, and the class goes."""
    (one,) = patch(trained, birds.inputs[:1], birds.inputs[1:2], "probabilities")
    assert (one.before.label, one.after.label) == ("crow", "gull")
    r = trained.introspect(birds.inputs[:2])
    mixed = np.concatenate([r[:1, :-3], r[1:, -3:]], axis=1)
    ids = [trained.tokenizer.tokenize([one.before.text]).to_list()[0]]
    np.testing.assert_allclose(one.divergences, divergences(trained, r[:1], mixed, ids, 1)[0], atol=1e-5)


def test_r_without_what_is_patched(make_model, birds):
    model = make_model(layers=["features"])
    (one,) = patch(model, birds.inputs[:1], birds.inputs[1:2], "hidden_1")
    assert (one.before.label, one.after.label) == ("crow", "gull")
    assert one.before.text == one.after.text
    assert set(one.divergences) <= {0}


def test_one_source_for_all_in_batches_of_any_size(trained, birds):
    x, source = birds.inputs[:5], birds.inputs[1:2]
    expected = patch(trained, x, np.repeat(source, 5, axis=0), "hidden_1")
    for batch_size in (2, 64):
        found = patch(trained, x, source, "hidden_1", batch_size=batch_size)
        np.testing.assert_allclose(
            [one.total_variation for one in found], [one.total_variation for one in expected], atol=1e-5
        )
        conftest.same_explanations([one.after for one in found], [one.after for one in expected])
    assert patch(trained, x[:0], source, "hidden_1") == []


def test_examples_of_any_form(trained, birds):
    expected = patch(trained, birds.inputs, birds.inputs[::-1], "hidden_1")
    backwards = tf.data.Dataset.from_tensor_slices(birds.inputs[::-1].copy()).batch(4)
    found = patch(trained, birds, backwards, "hidden_1")
    np.testing.assert_allclose(
        [one.divergence for one in found], [one.divergence for one in expected], atol=1e-4
    )


def test_labels_that_do_not_exclude_each_other(make_model):
    x = keras.Input((2,), name="features")
    labels = keras.layers.Dense(2, "sigmoid", use_bias=False, name="labels")
    model = make_model(keras.Model(x, labels(x)), class_names=["a", "b"], output="multi_label")
    labels.set_weights([np.eye(2)])
    (one,) = patch(model, np.zeros((1, 2)), np.log([[3.0, 9.0]]), "features")
    assert one.total_variation == pytest.approx(0.4, abs=1e-6)  # from 1/2 to 3/4 and to 9/10


def test_what_it_prints_and_writes():
    said = Explanation(
        "Crow", 0, 0.9, "a crow.", ("a", "crow", "."), (-0.1, -0.2, -0.1), probabilities=(0.9, 0.1)
    )
    nothing = Explanation("Gull", 1, 0.8, "", (), (), score=float("-inf"), probabilities=(0.2, 0.8))
    patched = Patched(("a/conv", "p"), said, nothing, 0.7, (0.5, 1.0, 0.0))
    assert str(patched).splitlines() == [
        "before: Crow (90.0 %): a crow.",
        "after:  Gull (80.0 %): ",
        "a/conv, p of the source: total variation 0.700, 0.500 nats a word",
    ]
    record = json.loads(json.dumps(patched.to_dict(), allow_nan=False))
    assert record["divergences"] == [0.5, 1, 0]
    assert (record["divergence"], record["after"]["probabilities"]) == (0.5, [0.2, 0.8])
    assert Patched(("p",), nothing, said, 0.7, ()).divergence == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": "hidden"}, r"`layers` names 'hidden'.*Did you mean \['hidden_1'\]"),
        ({"layers": []}, "`layers` is empty"),
        ({"source": np.zeros((2, 5))}, "source must hold as many examples as x, 3, or one for all, got 2"),
        ({"source": np.zeros((3, 4))}, r"source must be \(batch, 5\), got \(3, 4\)"),
        ({"source": np.full((3, 5), np.nan)}, "source holds NaN or infinity in example 0"),
        ({"x": np.full((3, 5), np.nan)}, "x holds NaN or infinity in example 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
    ],
)
def test_bad_arguments(trained, birds, arguments, message):
    options = {"x": birds.inputs[:3], "source": birds.inputs[3:6], "layers": "hidden_1", **arguments}
    with pytest.raises(ValueError, match=message):
        patch(trained, **options)
