"""Error tracking, by hand."""

import numpy as np
import pytest
from loudest import CROW, GULL, loudest_model

from interpnet_tf import ExplanationDataset
from interpnet_tf.analysis.faithfulness_metrics import METRICS, Material

METRIC = METRICS["error_tracking"]


class ReadsColours:
    """Names the class of a colour with certainty."""

    classes = np.array([0, 1])

    def probabilities(self, sentences):
        return np.array([["black" in said, "white" in said, False] for said in sentences], "float64")


def examples(birds, x, labels):
    said = [["a bird"]] * len(labels)
    return ExplanationDataset(np.stack(x), labels, birds.class_names, said, ["id"] * len(labels))


@pytest.fixture(scope="module")
def model(make_model, birds):
    """Says three times the colour of the class that is most probable."""
    return loudest_model(make_model, birds)


def test_who_hears_the_decision_takes_it_back(model, birds):
    three = examples(birds, [CROW, CROW, GULL], [0, 1, 1])  # the second is a gull that is taken for a crow
    material = Material(model, three, three, reader=ReadsColours())
    # "black" tells the class predicted, T = 1; with the third's decision it says "white", T = -1.
    np.testing.assert_array_equal(METRIC.figures(material), [np.nan, 2, np.nan])
    told = METRIC.details(material)
    whole, hidden, probabilities = told
    assert (whole, hidden) == ("P(predicted) - P(true)", "the same without hidden_1")
    np.testing.assert_array_equal(told[whole], [np.nan, 1, np.nan])
    np.testing.assert_array_equal(told[hidden], [np.nan, 1, np.nan])
    # Two of three training examples look like crows: on average black is the more probable.
    np.testing.assert_array_equal(told[probabilities], [np.nan, 1, np.nan])
    gulls = Material(model, three, three.subset([1, 2, 2]), reader=ReadsColours())
    np.testing.assert_array_equal(METRIC.details(gulls)[probabilities], [np.nan, -1, np.nan])


def test_a_caption_stays(make_model, birds):
    three = examples(birds, [CROW, CROW, GULL], [0, 1, 1])
    captioning = loudest_model(make_model, birds, ["features"])
    material = Material(captioning, three, three, reader=ReadsColours())
    np.testing.assert_array_equal(METRIC.figures(material), [np.nan, 0, np.nan])


def test_where_nothing_can_be_told(model, birds):
    robin = np.eye(5, dtype="float32")[2]
    # A robin is predicted, which the reader does not know; no gull is classified rightly.
    unknown = examples(birds, [robin, CROW], [0, 0])
    alone = examples(birds, [CROW, CROW], [0, 1])
    for dataset in (unknown, alone):
        assert np.isnan(METRIC.figures(Material(model, dataset, dataset, reader=ReadsColours()))).all()
