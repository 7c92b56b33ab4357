"""Interchange of layers of r(x), by hand."""

import numpy as np
import pytest
from loudest import CERTAIN, CROW, GULL, OTHER, loudest_model

from interpnet_tf import ExplanationDataset, InterpNet
from interpnet_tf.analysis.faithfulness_metrics import METRICS, Material
from interpnet_tf.analysis.faithfulness_metrics.decision import decision_layers
from interpnet_tf.introspection.class_embedding import CLASS_EMBEDDING, with_class_embedding


def pairs(birds):
    """Two crows and two gulls, of which people say a word."""
    said = [["black"], ["black"], ["white"], ["white"]]
    x = np.stack([CROW, CROW, GULL, GULL])
    return ExplanationDataset(x, [0, 0, 1, 1], birds.class_names, said, ["a", "b", "c", "d"])


@pytest.fixture(scope="module")
def material(make_model, birds):
    return Material(loudest_model(make_model, birds), pairs(birds), pairs(birds))


def test_decision_layers(material):
    assert decision_layers(material.model) == ["hidden_1", "probabilities"]


def test_a_vector_of_the_class_is_a_decision_layer(material):
    """Generating Visual Explanations reads the features and a vector of the predicted class."""
    classifier = with_class_embedding(material.model.classifier, np.eye(3))
    reads = ["features", CLASS_EMBEDDING]
    model = InterpNet(classifier, material.model.tokenizer, reads)
    assert decision_layers(model) == ["hidden_1", "probabilities", "classifier_output", CLASS_EMBEDDING]


def test_words(material):
    # Two words change places: KL = Σ p log(p / q) = (p(black) - p(white)) · 6 · (CERTAIN - OTHER), the same
    # at every place; with the layers of the same class nothing moves.
    weights = np.exp(6 * np.array([CERTAIN, OTHER, OTHER]))
    total = weights.sum() + material.model.tokenizer.vocabulary_size - 3
    expected = (weights[0] - weights[1]) / total * 6 * (CERTAIN - OTHER) / np.log(2)
    metric = METRICS["interchange_words"]
    np.testing.assert_allclose(metric.figures(material), np.full(4, expected), rtol=1e-4)
    by_layer = metric.details(material)
    assert list(by_layer) == ["hidden_1", "probabilities"]
    np.testing.assert_allclose(by_layer["hidden_1"], np.zeros(4), atol=1e-6)  # the decoder does not hear it
    np.testing.assert_allclose(by_layer["probabilities"], np.full(4, expected), rtol=1e-4)


def test_class_that_is_told(material):
    metric = METRICS["interchange_class"]
    assert metric.figures(material).tolist() == [1, 1, 1, 1]
    by_layer = {layer: figures.tolist() for layer, figures in metric.details(material).items()}
    assert by_layer == {"hidden_1": [0, 0, 0, 0], "probabilities": [1, 1, 1, 1]}


def test_where_there_is_no_source(material, birds):
    three = Material(material.model, pairs(birds).subset([0, 1, 2]), pairs(birds))
    for name in ("interchange_words", "interchange_class"):
        figures = METRICS[name].figures(three)
        assert np.isnan(figures).tolist() == [False, False, True]  # there is no second gull


def test_a_caption_does_not_follow(make_model, birds):
    captioning = loudest_model(make_model, birds, ["features"])
    material = Material(captioning, pairs(birds), pairs(birds))
    assert material.said == ["black black black"] * 2 + ["white white white"] * 2
    assert METRICS["interchange_words"].figures(material).tolist() == [0] * 4
    assert METRICS["interchange_class"].figures(material).tolist() == [0] * 4
