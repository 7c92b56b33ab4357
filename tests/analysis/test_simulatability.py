"""Simulatability: simulators that see nothing, and sentences that tell."""

import numpy as np
import pytest

from interpnet_tf.analysis.faithfulness_metrics import METRICS, Material, simulatability
from interpnet_tf.analysis.faithfulness_metrics.sentence_vectors import SentenceVectors


@pytest.fixture
def material(trained, birds, monkeypatch):
    """The simulators see of the birds the same number, which tells them nothing."""
    monkeypatch.setattr(simulatability, "_flat_inputs", lambda inputs: np.ones((len(inputs), 2), "float32"))
    return Material(trained, birds, birds)


def test_sentences_help_whoever_sees_nothing(material, birds):
    metric = METRICS["simulatability"]
    assert (material.predicted == birds.labels[:12]).all()  # four of each class
    # Without a sentence the simulator always names the same class; each sentence tells its own.
    assert sorted(metric.figures(material).tolist()) == [0.0] * 4 + [1.0] * 8
    details = metric.details(material)
    assert np.nansum(details["leaking"]) == 8
    assert np.isnan(details["not leaking"]).all()
    np.testing.assert_array_equal(details["leakage-adjusted"], metric.figures(material))


def test_sentences_of_another_class_mislead(material):
    said = np.roll(material.said, 1).tolist()
    figures = METRICS["simulatability"].figures(material.saying(said))
    assert sorted(figures.tolist()) == [-1.0] * 4 + [0.0] * 8


def test_leaking_and_other_sentences_count_alike(material, monkeypatch):
    helped = np.array([1.0, 1.0, 1.0, 0.0, -1.0])
    leaks = np.array([True, True, True, True, False])
    monkeypatch.setattr(simulatability, "_simulated", lambda _: (helped, leaks))
    details = simulatability.simulatability_bins(material)
    assert details["leakage-adjusted"].mean() == pytest.approx((3 / 4 + -1) / 2)


def test_who_sees_all_needs_no_sentence(trained, birds):
    material = Material(trained, birds, birds)
    assert METRICS["simulatability"].figures(material).tolist() == [0.0] * 12


def test_inputs_of_several_arrays():
    inputs = {"b": np.ones((2, 3)), "a": np.zeros((2, 2, 2))}
    assert simulatability._flat_inputs(inputs).shape == (2, 7)


def test_vectors_of_sentences():
    encode = SentenceVectors(["a bird", "a bird", "a crow"], most=2)
    vectors = encode(["a bird", "a crow", "nothing known"])
    # Kept are "a", of all three, and of those of two the first: "a bird" before "bird".
    weights = 1 + np.log(4 / np.array([4, 3]))
    np.testing.assert_allclose(vectors[0], weights / np.linalg.norm(weights), rtol=1e-6)
    np.testing.assert_allclose(vectors[1:], [[1, 0], [0, 0]])
