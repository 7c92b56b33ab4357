"""Gain from r, by hand."""

import numpy as np
import pytest
from loudest import CERTAIN, CROW, GULL, OTHER, loudest_model

from interpnet_tf import ExplanationDataset
from interpnet_tf.analysis.faithfulness_metrics import METRICS, Material

# One word is 6 (CERTAIN - OTHER) nats more probable for its own class; the sum over words is the same.
BITS = 6 * (CERTAIN - OTHER) / np.log(2)


@pytest.fixture(scope="module")
def material(make_model, birds):
    """Two crows and a gull, of which people say a word and the model three."""
    said = [["black"], ["black"], ["white"]]
    x = np.stack([CROW, CROW, GULL])
    three = ExplanationDataset(x, [0, 0, 1], birds.class_names, said, ["a", "b", "c"])
    return Material(loudest_model(make_model, birds), three, three)


def test_of_other_examples(material):
    others = material.another()
    other_class = np.array([0, 0, 1]) != np.array([0, 0, 1])[others]
    assert material.said == ["black black black", "black black black", "white white white"]
    # A word and the end; two words, all that a sentence of 3 has beside its end, and the end.
    np.testing.assert_allclose(METRICS["gain_people"].figures(material), other_class * BITS / 2, atol=1e-5)
    np.testing.assert_allclose(METRICS["gain_own"].figures(material), other_class * 2 * BITS / 3, atol=1e-5)
    assert other_class[2]


def test_within_the_class(material):
    for name in ("gain_own_same_class", "gain_people_same_class"):
        np.testing.assert_allclose(METRICS[name].figures(material), [0, 0, np.nan], atol=1e-5)


def test_of_what_somebody_else_says(material):
    other = material.saying(["white", "black", "white"])
    figures = METRICS["gain_own"].figures(other)
    wrong_class = material.another()[0] == 2
    np.testing.assert_allclose(figures[0], -BITS / 2 * wrong_class, atol=1e-5)
    assert other.r is material.r
    with pytest.raises(ValueError, match="each of the 3 examples"):
        material.saying(["black"])
