"""Rewards: CIDEr-D equal to the metric's, and class probabilities of the right class."""

import keras
import numpy as np
import pytest

from interpnet_tf import ExplanationDataset, ExplanationTokenizer
from interpnet_tf.language.concepts import Concepts
from interpnet_tf.metrics.cider import cider_d_sentences
from interpnet_tf.training import rewards

SENTENCES = [
    ["a small black bird with a long bill.", "this bird is black all over."],
    ["a white bird with a short orange bill.", "the bird has a white belly, and grey wings."],
    ["a red bird with a short bill.", "this small red bird has a short bill.", "a red bird."],
]
SAID = ["a small black bird with a long bill.", "a bird with a short bill.", "red red red red bird"]


@pytest.fixture(scope="module")
def birds() -> ExplanationDataset:
    return ExplanationDataset(np.zeros((3, 1)), [0, 2, 1], ["crow", "robin", "gull"], SENTENCES, list("abc"))


@pytest.fixture(scope="module")
def tokenizer() -> ExplanationTokenizer:
    return ExplanationTokenizer().adapt(SENTENCES)


def ids_of(tokenizer, sentences) -> np.ndarray:
    return tokenizer.tokenize(sentences).to_tensor(shape=(None, 12)).numpy()


def test_cider_d_is_that_of_the_metric(birds, tokenizer):
    reward = rewards.CiderD(tokenizer, SENTENCES).bind(birds)
    for said in (SAID, SAID[::-1], [sentences[-1] for sentences in SENTENCES]):
        expected = cider_d_sentences(said, SENTENCES)
        np.testing.assert_allclose(reward(ids_of(tokenizer, said), np.arange(3)), expected, rtol=1e-5)


def test_cider_d_reads_the_references_of_the_named_rows(birds, tokenizer):
    reward = rewards.CiderD(tokenizer, SENTENCES).bind(birds)
    by_row = [
        cider_d_sentences([SAID[0], *SAID[:2]], SENTENCES)[0],
        cider_d_sentences([SAID[0], SAID[1], SAID[1]], SENTENCES)[2],
    ]
    said = ids_of(tokenizer, [SAID[1], SAID[0]])
    np.testing.assert_allclose(reward(said, np.array([2, 0])), by_row[::-1], rtol=1e-5)


def test_document_frequencies_are_those_of_the_corpus(birds, tokenizer):
    """Where every document says the same, no word tells anything."""
    reward = rewards.CiderD(tokenizer, [SENTENCES[0]] * 5 + [[]]).bind(birds)
    assert reward(ids_of(tokenizer, [SAID[0]]), np.array([0])) == 0


def test_an_empty_sentence_has_no_cider_d(birds, tokenizer):
    reward = rewards.CiderD(tokenizer, SENTENCES).bind(birds)
    assert reward(np.full((1, 3), tokenizer.end_id), np.array([0])) == 0


def test_cider_d_without_documents(tokenizer):
    with pytest.raises(ValueError, match="documents must hold at least one example"):
        rewards.CiderD(tokenizer, [[], []])


def test_class_probability_is_that_of_the_true_class(birds):
    """Of a classifier that tells the class by the first id."""
    ids = keras.Input((None,), dtype="int32")
    probabilities = keras.layers.Embedding(3, 3, weights=[np.eye(3) * 0.75])(ids)[:, 0]
    reward = rewards.ClassProbability(keras.Model(ids, probabilities)).bind(birds)
    values = reward(np.array([[0, 2], [2, 1], [0, 2], [1, 1]]), np.array([0, 1, 1, 2]))  # labels 0, 2, 2, 1
    np.testing.assert_allclose(values, [0.75, 0.75, 0, 0.75])


@pytest.mark.parametrize(("words", "expected"), [(None, [0.25, 0.5]), (2, [0.5, 1.0]), (9, [0.25, 0.5])])
def test_class_probability_of_the_first_words(birds, words, expected):
    """Of a classifier that gives class 0 the share of the ids that are 0."""
    ids = keras.Input((None,), dtype="int32")
    share = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(3, 3, weights=[np.eye(3)])(ids))
    reward = rewards.ClassProbability(keras.Model(ids, share), words).bind(birds)
    values = reward(np.array([[0, 1, 2, 2], [0, 0, 1, 1]]), np.array([0, 0]))
    np.testing.assert_allclose(values, expected)


def test_class_probability_of_no_words():
    with pytest.raises(ValueError, match="words must be at least 1, or None for all, got 0"):
        rewards.ClassProbability(keras.Sequential(), words=0)


def test_a_weighted_sum(birds, tokenizer):
    cider = rewards.CiderD(tokenizer, SENTENCES)

    class Row:
        def bind(self, dataset):
            return lambda ids, rows: rows.astype("float32")

    said = ids_of(tokenizer, SAID)
    rows = np.arange(3)
    values = rewards.WeightedSum([(cider, 2.0), (Row(), 0.5)]).bind(birds)(said, rows)
    np.testing.assert_allclose(values, 2 * cider.bind(birds)(said, rows) + 0.5 * rows, rtol=1e-5)


class CrownsAndBills:
    """Reason scores of birds whose decision rests on the crown, 0.4, twice as much as on the bill, 0.2."""

    def __init__(self):
        kinds = [(crown, bill) for crown in ("red", "blue") for bill in ("short", "long")]
        self.concepts = Concepts.learn(
            [[f"a {crown} crown and a {bill} bill."] * 10 for crown, bill in kinds]
        )

    def of_concepts(self, x, concepts):
        names = self.concepts.names
        return [{one: 0.4 if "crown" in names[one] else 0.2 for one in of_one} for of_one in concepts]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        # The crown counts 1 and the bill ¼: half the mean, and half the share of the 1¼ that could be said.
        ("a red crown.", (1 + 1 / 1.25) / 2),
        ("a short bill.", (0.25 + 0.25 / 1.25) / 2),
        ("a red crown and a short bill.", (0.625 + 1) / 2),
        # What is exchanged for something true, and what is said again, count -1.
        ("a blue crown.", (-1 - 1 / 1.25) / 2),
        ("a red crown and a long bill.", (0 + 0) / 2),
        ("a red crown and a red crown.", (0 + 0) / 2),
        # Of what nobody speaks, nothing is gained.
        ("a bird.", 0),
    ],
)
def test_decision_relevance(said, expected):
    birds = ExplanationDataset(
        np.zeros((2, 1)),
        [0, 1],
        ["jay", "gull"],
        [["a blue crown and a long bill."], ["a red crown.", "a short bill."]],
        ["0", "1"],
    )
    words = ExplanationTokenizer().adapt(["a red blue crown and a short long bill bird."])
    reward = rewards.DecisionRelevance(words, CrownsAndBills()).bind(birds)
    assert reward(ids_of(words, [said]), np.array([1])) == pytest.approx([expected])
