import keras
import numpy as np
import pytest

from interpnet_tf import ExplanationDataset, ExplanationTokenizer, InterpNet
from interpnet_tf.analysis import ReasonScores

# Birds of two features: the crown is 1 where it is red, 0 where it is blue; the bill alike.
FEATURES = np.array([[1, 1], [1, 0], [0, 1], [0, 0]] * 10, "float32")


def sentences(crown: float, bill: float) -> list[str]:
    crown, bill = ("red" if crown else "blue"), ("short" if bill else "long")
    return [f"a {crown} crown and a {bill} bill.", f"its crown is {crown} and its bill is {bill}."]


@pytest.fixture(scope="module")
def train():
    explanations = [sentences(*bird) for bird in FEATURES]
    labels = FEATURES[:, 0].astype(int)
    return ExplanationDataset(FEATURES, labels, ["jay", "robin"], explanations, list(map(str, range(40))))


@pytest.fixture(scope="module")
def model(train):
    """Its classifier decides by the crown alone: P(robin) = sigmoid(8 · crown - 4)."""
    inputs = keras.Input((2,), name="features")
    classifier = keras.Model(inputs, keras.layers.Dense(2, "softmax", name="probabilities")(inputs))
    classifier.set_weights([np.array([[0, 8], [0, 0]], "float32"), np.array([0, -4], "float32")])
    tokenizer = ExplanationTokenizer().adapt(train.explanations)
    return InterpNet(classifier, tokenizer, class_names=train.class_names, seed=0)


@pytest.fixture(scope="module")
def scores(model, train):
    return ReasonScores(model, train, penalty=1e-9)


def test_the_phrase_that_the_decision_rests_on_has_the_score(scores):
    (found,) = scores.phrases(FEATURES[:1], [["a red crown and a short bill."]])

    # From red to blue the crown goes from 1 to 1 - scale, for four scales.
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    change = np.mean([sigmoid(4) - sigmoid(4 - 8 * scale) for scale in (1, 1.5, 2, 3)])
    # Blue birds change alike, so the usual score is the same, and half of it is added.
    assert found == pytest.approx({"red crown": 1.5 * change, "short bill": 0.0}, abs=1e-4)


def test_words_have_the_scores_of_their_phrases(model, scores):
    said = ["a", "red", "crown", "and", "a", "Short", "bill", "."]
    (phrases,) = scores.phrases(FEATURES[:1], [["a red crown and a short bill."]])
    crown, bill = phrases["red crown"], phrases["short bill"]
    (found,) = scores.words(FEATURES[:1], [said])
    assert found == pytest.approx([0, crown, crown, 0, 0, bill, bill, 0])
    # The same modifier of two nouns, of which one has no score, and a noun of no phrase.
    said = ["a", "red", "tail", "and", "a", "red", "crown", "on", "this", "crown"]
    (found,) = scores.words(FEATURES[:1], [said])
    assert found == pytest.approx([0, 0, 0, 0, 0, crown, crown, 0, 0, 0])
    (attribution,) = model.attribute(
        FEATURES[:1], ["a red crown."], method="layer_ablation", baseline="zeros", reasons=scores
    )
    assert attribution.words == ("a", "red", "crown", ".")
    assert attribution.reason == pytest.approx([0, crown, crown, 0])


def test_relevance_of_sentences(scores):
    (found,) = scores.relevance(
        FEATURES[:1],
        [
            [
                "a red crown.",
                "a red crown and a short bill.",
                "a short bill.",
                ".",
                "a red crown and a red crown.",
            ]
        ],
    )
    # The crown counts 1, the bill 0, what is said again -1: means 1, ½, 0, 0, 0 and shares of the strongest
    # three 1, 1, 0, 0, 0.
    np.testing.assert_allclose(found, [1, 0.75, 0, 0, 0], atol=1e-3)


def test_phrases_that_nobody_says_are_not_scored(scores):
    assert scores.phrases(FEATURES[:1], [["a green crown."]]) == [{}]


def test_sentences_of_other_examples_are_refused(scores):
    with pytest.raises(ValueError, match="2 examples and concepts for 1"):
        scores.phrases(FEATURES[:2], [["a red crown."]])
    with pytest.raises(ValueError, match="a list of sentences for each example"):
        scores.phrases(FEATURES[:1], ["a red crown."])


def test_options_are_checked(model, train):
    with pytest.raises(ValueError, match="penalty must be above 0"):
        ReasonScores(model, train, penalty=0)
    with pytest.raises(ValueError, match="no phrase, such as 'red crown', is in 100 sentences of train"):
        ReasonScores(model, train, minimum_count=100)


def test_a_classifier_without_a_vector_to_move_is_refused(train):
    inputs = keras.Input((2, 2, 1), name="image")
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(inputs)
    classifier = keras.Model(
        inputs, keras.layers.Softmax(name="probabilities")(keras.layers.Concatenate()([pooled, -pooled]))
    )
    model = InterpNet(classifier, ExplanationTokenizer().adapt(train.explanations), output="probabilities")
    pictures = ExplanationDataset(
        np.zeros((40, 2, 2, 1), "float32"), train.labels, train.class_names, train.explanations, train.ids
    )
    with pytest.raises(ValueError, match="no layer that is a vector"):
        ReasonScores(model, pictures)
