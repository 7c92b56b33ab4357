"""Confidences: curves by hand, a regression with a known answer, and a network that says nothing."""

import dataclasses
import json

import numpy as np
import pytest

from interpnet_tf import Explanation, analysis
from interpnet_tf.analysis.abstention.logistic import LogisticRegression
from interpnet_tf.data.cub_attributes import AttributeTable
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.support.errors import UnreadableFileError


def test_the_risk_rises_with_what_is_wrong():
    curve = analysis.risk_coverage([0.2, 0.9, 0.5, 0.7], [False, True, True, False])
    np.testing.assert_allclose(curve.coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curve.confidence, [0.9, 0.7, 0.5, 0.2])
    np.testing.assert_allclose(curve.risk, [0, 1 / 2, 1 / 3, 2 / 4])
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_equal_confidences_have_no_order():
    true = np.array([True, False, False, True, True])
    for order in (np.arange(5), np.arange(5)[::-1]):
        curve = analysis.risk_coverage(np.full(5, 0.8), true[order])
        np.testing.assert_allclose(curve.risk, np.full(5, 2 / 5))


def test_calibration_compares_means_of_bins():
    found = analysis.calibration([0.1, 0.3, 0.9, 1.0], [0, 1, 1, 1], bins=2)
    np.testing.assert_allclose(found.confidence, [0.2, 0.95])
    np.testing.assert_allclose(found.true, [0.5, 1.0])
    assert found.count.tolist() == [2, 2]
    assert found.error == pytest.approx((0.3 * 2 + 0.05 * 2) / 4)
    of_three = analysis.calibration([0.1, 0.9], [0, 1], bins=3)
    assert np.isnan(of_three.true[1])
    assert of_three.error == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("confidences", "true", "message"),
    [
        ([0.5], [True, False], r"\(examples,\), got \(1,\) and \(2,\)"),
        ([], [], "one example or more"),
        ([np.nan], [True], "finite"),
        ([0.5], [0.5], "truth values"),
    ],
)
def test_curves_refuse(confidences, true, message):
    for function in (analysis.risk_coverage, analysis.calibration):
        with pytest.raises(ValueError, match=message):
            function(confidences, true)
    with pytest.raises(ValueError, match="between 0 and 1"):
        analysis.calibration([2.0], [True])


def test_a_regression_that_learns_nothing_gives_the_share_that_is_true():
    found = LogisticRegression.fit(np.ones((10, 1)), np.array([1] * 8 + [0] * 2))
    # Of 8 true and 2 false examples the targets are 9/10 and 1/4.
    np.testing.assert_allclose(found.predict(np.ones((1, 1))), (8 * 9 / 10 + 2 / 4) / 10, atol=1e-4)
    all_true = LogisticRegression.fit(np.ones((10, 1)), np.ones(10))
    np.testing.assert_allclose(all_true.predict(np.ones((1, 1))), 11 / 12, atol=1e-4)


class Crows:
    """Says that everything is black, the surer the larger x is."""

    def explain(self, x, **options):
        self.options = options
        values = getattr(x, "inputs", x)[:, 0]
        return [
            Explanation("crow", 0, 0.9, "a black bird.", ("a", "black"), (-0.1, value - 4))
            for value in values.tolist()
        ]


@pytest.fixture
def crows():
    """Of an x below 0 nothing is black."""
    x = np.linspace(-3, 3, 40).astype("float32")[:, None]
    names = ["crow", "gull"]
    said = [["it is white."] if value < 0 else ["it is black."] for value in x[:, 0]]
    return ExplanationDataset(x, (x[:, 0] < 0).astype(int), names, said, [str(index) for index in range(40)])


def test_says_nothing_where_it_would_be_false(crows, tmp_path):
    explainer = Crows()
    confidence = analysis.Confidence(explainer, analysis.TellsClass(crows), sampler="beam").fit(crows)
    assert explainer.options == {"sampler": "beam"}
    found = confidence.evaluate(crows, confidence=0.5)
    assert found["true"] == 0.5
    assert found["true_said"] > 0.9
    assert 0.4 < found["said"] < 0.6
    assert found["risk_coverage_area"] < 0.2
    sure, unsure = confidence.explain(np.array([[3.0], [-3.0]]), confidence=0.5)
    assert (sure.text, sure.withheld) == ("a black bird.", False)
    assert (unsure.text, unsure.words, unsure.withheld) == ("", (), True)
    assert unsure.label == "crow"
    assert unsure.confidence < 0.5 <= sure.confidence
    assert str(unsure) == f"crow (90.0 %): nothing is said ({100 * unsure.confidence:.0f} % sure)"
    assert json.loads(json.dumps(sure.to_dict()))["confidence"] == sure.confidence
    assert confidence.explain(np.array([[-3.0]]), confidence=0)[0].text == "a black bird."

    confidence.save(tmp_path / "confidence.json")
    kept = analysis.Confidence.load(tmp_path / "confidence.json", explainer)
    assert kept.explain(np.array([[3.0], [-3.0]]), 0.5) == [sure, unsure]
    assert kept.meaning == confidence.meaning
    assert kept.options == {"sampler": "beam"}


def test_a_score_of_ones_own_counts(crows):
    """Words alone tell nothing here."""

    class Mute(Crows):
        def explain(self, x, **options):
            return [dataclasses.replace(one, log_probabilities=(0.0, 0.0)) for one in super().explain(x)]

    blind = analysis.Confidence(Mute(), analysis.TellsClass(crows)).fit(crows).evaluate(crows)
    assert blind["risk_coverage_area"] == pytest.approx(0.5)

    def scores(x, explanations):
        return getattr(x, "inputs", x)[:, 0]

    seeing = analysis.Confidence(Mute(), analysis.TellsClass(crows), scores).fit(crows)
    assert seeing.evaluate(crows)["risk_coverage_area"] < 0.2
    with pytest.raises(ValueError, match="finite number for each of 40"):
        analysis.Confidence(Mute(), analysis.TellsClass(crows), lambda x, said: np.zeros(3)).fit(crows)


def test_refusals(crows, tmp_path):
    confidence = analysis.Confidence(Crows(), analysis.TellsClass(crows))
    for ask in (lambda: confidence.explain(crows.inputs), lambda: confidence.save(tmp_path / "a.json")):
        with pytest.raises(ValueError, match="call fit"):
            ask()
    with pytest.raises(ValueError, match="between 0 and 1, got 90"):
        confidence.fit(crows).explain(crows.inputs, confidence=90)
    with pytest.raises(ValueError, match="has no facts"):
        analysis.Confidence(Crows()).fit(crows)
    with pytest.raises(ValueError, match="no example"):
        confidence.fit(crows.subset([]))
    with pytest.raises(ValueError, match="n_best must be 1"):
        analysis.Confidence(Crows(), n_best=3)
    confidence.save(tmp_path / "a.json")
    with pytest.raises(ValueError, match="without"):
        analysis.Confidence.load(tmp_path / "a.json", Crows(), scores=lambda x, said: np.zeros(len(said)))
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UnreadableFileError, match="learn it anew"):
        analysis.Confidence.load(tmp_path / "a.json", Crows())


def test_what_is_true_of_a_species():
    table = AttributeTable(["has_bill_color::red", "has_bill_color::black"], np.array([[80.0, 2.0]]))
    birds = ExplanationDataset(np.zeros((3, 1)), [0, 0, 0], ["crow"], [[], [], []], ["1", "2", "3"])
    said = ["a bird with a red beak.", "a red and black beak.", "a bird."]
    assert analysis.PhrasesTrue(table)(said, birds).tolist() == [True, False, False]


def test_what_is_true_of_a_picture():
    from interpnet_tf.data import sketchbirds

    birds = sketchbirds.load("test", per_species=1).subset([0, 0, 0])
    color = birds.facts[0].attributes["crown"]
    other = next(value for value in sketchbirds.VALUES["crown"] if value != color)
    said = [f"this bird has a {color} crown.", f"this bird has a {other} crown.", "this is a bird."]
    assert analysis.FactsTrue()(said, birds).tolist() == [True, False, False]
