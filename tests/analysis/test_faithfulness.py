"""The framework of the faithfulness metrics, and the controls."""

import json

import numpy as np
import pytest

from interpnet_tf import analysis
from interpnet_tf.analysis import faithfulness_metrics
from interpnet_tf.analysis.faithfulness_metrics import Material, Metric, controls, registry


def two_metrics():
    """Returns metrics whose figures are known: places, and the length of what was said."""

    def places(material):
        return np.where(material.right, np.arange(len(material.dataset)), np.nan)

    def lengths(material):
        return np.array([float(len(said)) for said in material.said])

    return {
        "places": Metric(places, "the place", details=lambda material: {"twice": 2 * places(material)}),
        "lengths": Metric(lengths, "the length", "letters", sentences_only=True, better="lower"),
    }


def test_result_and_report(trained, birds):
    said = ["a bird"] * 12
    options = {"said": said, "shuffled": trained, "metrics": two_metrics(), "samples": 50}
    result = analysis.faithfulness(trained, birds, birds, **options)
    assert json.loads(json.dumps(result)) == result
    places = result["places"]
    assert (places["value"], places["examples"]) == (5.5, 12)  # of 0 to 11; the model is never wrong
    low, high = places["interval"]
    assert 2 < low < 5.5 < high < 9
    assert places["wrong"] == {"value": None, "interval": None, "examples": 0}
    assert places["right"] == {key: places[key] for key in ("value", "interval", "examples")}
    assert places["details"]["twice"]["value"] == 11
    assert list(places["controls"]) == ["shuffled r"]  # the others are sentences only
    lengths = result["lengths"]
    assert (lengths["value"], lengths["interval"], lengths["better"]) == (6, [6, 6], "lower")
    assert list(lengths["controls"]) == ["constant", "template", "shuffled r"]
    assert lengths["controls"]["constant"]["value"] == len("a black bird with a long bill.")
    lines = faithfulness_metrics.report(result).splitlines()
    assert "lengths (lower is more faithful, letters): the length" in lines
    row = next(line for line in lines[lines.index("") :] if line.startswith("  model"))
    assert row.split() == ["model", "6.000", "[6.000,", "6.000]", "6.000", "[6.000,", "6.000]", "n/a"]
    assert sum("n/a" in line for line in lines) == 6  # what is wrong, in every row


def test_controls(trained, birds):
    material = Material(trained, birds, birds)
    # Written of 4 crows, and as often as others; it is the first.
    assert set(controls.constant(material)) == {"a black bird with a long bill."}
    template = dict(zip(material.predicted.tolist(), controls.template(material), strict=True))
    assert template[1] == "a white bird with a short bill."
    assert template[0] in birds.explanations[0]
    assert template[2] in birds.explanations[2]


def test_shuffled_r_keeps_the_classifier_and_does_not_hear(trained, birds):
    shuffled = faithfulness_metrics.shuffled_r(trained, birds, epochs=2, batch_size=40, learning_rate=0.05)
    for before, after in zip(
        trained.classifier.get_weights(), shuffled.classifier.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(before, after)
    result = analysis.faithfulness(
        trained, birds, birds, shuffled=shuffled, metrics="gain_people", samples=50
    )["gain_people"]
    assert result["value"] > 0.1
    assert abs(result["controls"]["shuffled r"]["value"]) < 0.05


def test_permuted_labels(trained, birds):
    other = faithfulness_metrics.permuted_labels(trained, birds, epochs=2, decoder_epochs=1)
    assert other.introspector.layer_paths == trained.introspector.layer_paths
    assert (other.classifier.get_weights()[0] != trained.classifier.get_weights()[0]).any()


def test_bad_arguments(trained, birds):
    with pytest.raises(ValueError, match=r"metrics must be some of gain_own, .*; got gain$"):
        analysis.faithfulness(trained, birds, birds, metrics=["gain"])
    with pytest.raises(ValueError, match="each of the 12 examples"):
        analysis.faithfulness(trained, birds, birds, said=["a bird"])
    with pytest.raises(ValueError, match="no example of dataset has a sentence"):
        analysis.faithfulness(trained, birds.subset([12]), birds)
    assert set(registry.METRICS) >= {"gain_own", "interchange_class", "error_tracking"}
