"""Error tracking, by hand."""

import numpy as np
from loudest import CROW, GULL, loudest_model

from interpnet_tf import ExplanationDataset
from interpnet_tf.analysis.faithfulness_metrics import METRICS, Material


class ReadsColours:
    """Names the class of a colour with certainty."""

    classes = np.array([0, 1])

    def probabilities(self, sentences):
        return np.array([["black" in said, "white" in said, False] for said in sentences], "float64")


def test_by_hand(make_model, birds):
    x = np.stack([CROW, CROW, GULL])
    said = [["black"], ["white"], ["white"]]
    three = ExplanationDataset(x, [0, 1, 1], birds.class_names, said, ["a", "b", "c"])
    material = Material(loudest_model(make_model, birds), three, three, reader=ReadsColours())
    metric = METRICS["error_tracking"]
    # The second is a gull that is taken for a crow. The model says black, of the class that it predicts.
    np.testing.assert_array_equal(metric.figures(material), [np.nan, 1, np.nan])
    np.testing.assert_array_equal(metric.figures(material.saying(["white"] * 3)), [np.nan, -1, np.nan])
    np.testing.assert_array_equal(metric.figures(material.saying(["red"] * 3)), [np.nan, 0, np.nan])
    details = metric.details(material)
    assert list(details) == ["without hidden_1", "without probabilities"]
    np.testing.assert_array_equal(details["without hidden_1"], [np.nan, 1, np.nan])
    # Two of three training examples look like crows: on average black is the more probable.
    np.testing.assert_array_equal(details["without probabilities"], [np.nan, 1, np.nan])
    two_gulls = Material(material.model, three, three.subset([1, 2, 2]), reader=ReadsColours())
    np.testing.assert_array_equal(metric.details(two_gulls)["without probabilities"], [np.nan, -1, np.nan])


def test_a_class_that_the_reader_does_not_know(make_model, birds):
    red = ExplanationDataset(np.eye(5, dtype="float32")[[2]], [0], birds.class_names, [["red"]], ["a"])
    material = Material(loudest_model(make_model, birds), red, red, reader=ReadsColours())
    assert material.predicted.tolist() == [2]
    assert np.isnan(METRICS["error_tracking"].figures(material)).all()
