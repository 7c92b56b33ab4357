"""Erasure, by hand."""

import numpy as np
import pytest
from loudest import CERTAIN, CROW, GULL, OTHER, loudest_model

from interpnet_tf import ExplanationDataset
from interpnet_tf.analysis.faithfulness_metrics import METRICS, Material, erasure


@pytest.fixture(scope="module")
def material(make_model, birds):
    """Crows and gulls; the model hears their class probabilities, 3 of 9 units; at their mean r is 0."""
    x = np.stack([CROW, GULL] * 4)
    said = [["black"], ["white"]] * 4
    eight = ExplanationDataset(x, [0, 1] * 4, birds.class_names, said, list("abcdefgh"))
    return Material(loudest_model(make_model, birds), eight, eight)


def log2_share(logit, others, vocabulary):
    """Of a word of some logit, among others and words whose logits are 0."""
    rest = vocabulary - 1 - len(others)
    return np.log2(np.exp(logit) / (np.exp(logit) + np.exp(others).sum() + rest))


def test_the_unit_that_is_named_is_taken_away_or_kept(material):
    vocabulary = material.model.tokenizer.vocabulary_size
    erased = erasure._erased(material)
    assert erased.without.shape == (16, 5, 2)  # two words of each, and 1, 1, 1, 2, 4 units
    without = log2_share(0, [6 * OTHER] * 2, vocabulary)
    np.testing.assert_allclose(erased.without[:, :3, 0], without, atol=1e-4)
    alone = log2_share(6 * CERTAIN, [], vocabulary)
    np.testing.assert_allclose(erased.alone[:, :3, 0], alone, atol=1e-4)
    whole = log2_share(6 * CERTAIN, [6 * OTHER] * 2, vocabulary)
    # A random unit is that one, one of the other classes', or one that nobody hears.
    one_other_less = log2_share(6 * CERTAIN, [6 * OTHER], vocabulary)
    distance = np.abs(erased.without[:, 0, 1, None] - [without, one_other_less, whole])
    assert distance.min(axis=1).max() < 1e-4


def test_figures_are_means_over_words_and_shares(material):
    figures = METRICS["comprehensiveness"].figures(material)
    erased = erasure._erased(material)
    of_third = (erased.without[4:6, :, 1] - erased.without[4:6, :, 0]).mean()
    assert figures[2] == pytest.approx(of_third)
    details = METRICS["comprehensiveness"].details(material)
    assert list(details) == ["1 %", "5 %", "10 %", "20 %", "50 %"]
    np.testing.assert_allclose(np.mean(list(details.values()), axis=0), figures)
    assert figures.mean() > 1
    assert METRICS["sufficiency"].figures(material).mean() > 1


def test_only_some_examples_are_drawn(material, monkeypatch):
    monkeypatch.setattr(erasure, "_EXAMPLES", 3)
    other = material.saying(["black"] * 8)
    assert np.isnan(METRICS["sufficiency"].figures(other)).sum() == 5


def test_properties_of_the_method(material):
    np.testing.assert_allclose(erasure.completeness(material), 1)
    assert (erasure.mu_fidelity(material) > 0.8).all()
