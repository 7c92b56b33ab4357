"""The round trip: what sentences tell of r(x)."""

import numpy as np
import pytest

from interpnet_tf.analysis.faithfulness_metrics import METRICS, Material, round_trip


@pytest.fixture
def material(trained, birds):
    return Material(trained, birds, birds)


def test_a_sentence_that_tells_the_class_brings_r_back(material):
    metric = METRICS["round_trip"]
    honest, constant = metric.figures(material), metric.figures(material.saying(["a white bird."] * 12))
    assert honest.mean() > 0.7
    assert constant.mean() < 0
    assert list(metric.details(material)) == ["features", "hidden_1", "probabilities"]
    np.testing.assert_allclose(np.mean(list(metric.details(material).values()), axis=0), honest)


def test_beyond_the_class_nothing_is_left_of_it(material):
    """What is said there follows from the class, so that the reader does well to say: nothing."""
    figures = METRICS["round_trip_beyond_class"].figures(material)
    assert abs(figures.mean()) < 0.1


def test_the_regression_by_hand():
    """x is 0 or 2 and y is 2 or 8: a slope of 3, times 4 / (4 + penalty)."""
    vectors = np.array([[0.0], [0.0], [2.0], [2.0]], "float32")
    solve = round_trip._Ridge(vectors, np.array([0, 0, 1, 1]), np.array([[2.0], [8.0]], "float32"))
    weights, bias = solve(2.0)
    np.testing.assert_allclose(weights, [[2.0]], rtol=1e-5)
    np.testing.assert_allclose(bias, [3.0], rtol=1e-5)


def test_shares_of_the_variance_by_hand(material):
    """A reader that always says twice the truth misses all of it, one that says nothing has no share."""
    for factor, share in ((2.0, 0.0), (0.0, 0.0), (1.0, 1.0)):
        values = np.arange(12.0)[:, None] * np.ones(material.r.shape[1])
        constant = round_trip._Targets(
            values, lambda said: np.zeros((12, 1)), 0 * values[:1], factor * values
        )
        material._once["round trip, False"] = constant
        assert METRICS["round_trip"].figures(material).mean() == pytest.approx(share)


def test_a_layer_of_the_class_alone_does_not_count_beyond_the_class(material):
    """The reader says half of the features' values; all else is rounding."""
    values = np.full((12, material.r.shape[1]), 1e-7)
    values[:, material.model.introspector.slices["features"]] = 1
    found = round_trip._Targets(values, lambda said: np.zeros((12, 1)), 0 * values[:1], values / 2)
    material._once["round trip, True"] = found
    metric = METRICS["round_trip_beyond_class"]
    np.testing.assert_allclose(metric.figures(material), np.full(12, 0.75), rtol=1e-6)  # 1 - (1 - ½)²
    assert np.isnan(metric.details(material)["hidden_1"]).all()
