"""The classifier that reads sentences back, and what it is made of."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from interpnet_tf.metrics.held_out_read_back import HeldOutReadBack
from interpnet_tf.metrics.minimize import minimize
from interpnet_tf.metrics.read_back import ReadBack, read_back_accuracy
from interpnet_tf.metrics.sparse import SparseMatrix

CUB = Path(__file__).resolve().parents[3] / "shared" / "data" / "cub"

SENTENCES = [["a red bird with black wings", "this bird is red"], ["a white bird", "white all over"], []]


def test_probabilities_by_hand():
    # One feature a class: by symmetry each weighs w for its own class and -w for the other, and where the
    # gradient is 0, w = C (1 - p) with p = 1 / (1 + exp(-2 w)). With C = 1 then w = 1 - p = 0.3374.
    reader = ReadBack(regularization=1.0).fit([["red"], ["white"]], [0, 1])
    probabilities = reader.probabilities(["red"])
    w = probabilities[0, 1]
    assert w == pytest.approx(1 / (1 + math.exp(2 * w)), abs=1e-4)
    assert probabilities.sum() == pytest.approx(1)
    assert reader.probabilities(["white"])[0] == pytest.approx(probabilities[0, ::-1], abs=1e-4)


def test_pairs_of_words_tell_what_words_do_not():
    # Both classes have the same words, but for their order.
    reader = ReadBack().fit([["black wings and white head"], ["white wings and black head"]], [0, 1])
    assert reader.predict(["black wings", "black head", "white wings", "white head"]).tolist() == [0, 1, 1, 0]


def test_it_knows_the_classes_that_have_sentences_by_their_ids():
    reader = ReadBack().fit(SENTENCES, [7, 3, 5])
    assert reader.classes.tolist() == [3, 7]
    assert reader.predict(["red wings", "white"]).tolist() == [7, 3]
    assert reader.probabilities(["red wings"]).shape == (1, 2)


def test_sentences_together_multiply_their_probabilities():
    reader = ReadBack().fit(SENTENCES, [0, 1, 2])
    mixed = ["red", "white", "white all over"]
    together = reader.probabilities(mixed).prod(axis=0)
    assert reader.predict_together([mixed, ["red"]]).tolist() == [together.argmax(), 0]
    assert together.argmax() == 1


def test_a_sentence_without_a_known_word_gets_the_prior():
    reader = ReadBack().fit([["red", "red", "red"], ["white"]], [0, 1])
    assert reader.predict(["", "zebra"]).tolist() == [0, 0]


def test_the_same_sentences_give_the_same_classifier():
    first, second = (ReadBack().fit(SENTENCES, [0, 1, 2]).probabilities(["a bird"]) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ReadBack(regularization=0), "regularization must be above 0, got 0"),
        (lambda: ReadBack(iterations=0), "iterations must be at least 1"),
        (lambda: ReadBack().fit([["a"]], [0, 1]), "got 1 and 2"),
        (lambda: ReadBack().fit([["aa"], []], [0, 1]), "two classes or more.*got 1"),
        (lambda: ReadBack().predict(["a"]), "call fit first"),
        (lambda: ReadBack().fit(SENTENCES, [0, 1, 2]).predict("red"), "must be a list of sentences"),
        (lambda: ReadBack().fit(SENTENCES, [0, 1, 2]).predict_together([["red"], []]), r"sentences\[1\]"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_read_back_accuracy_by_hand():
    read = np.array([1, 2, 1, 2, 1])
    labels = np.array([1, 1, 1, 2, 2])
    predictions = np.array([1, 2, 2, 9, 1])  # the first is right; nobody has written of class 9
    assert read_back_accuracy(read, labels, predictions, known=np.array([1, 2])) == {
        "read_back_species": 3 / 5,
        "read_back_predicted": 3 / 4,
        "read_back_predicted_right": 1.0,
        "read_back_predicted_wrong": 2 / 3,
        "predicted_unreadable": pytest.approx(1 / 5),
    }
    assert read_back_accuracy(read, labels) == {"read_back_species": 3 / 5}


def test_read_back_accuracy_of_nothing_is_nan():
    accuracy = read_back_accuracy(np.array([1]), np.array([1]), np.array([1]), known=np.array([1]))
    assert math.isnan(accuracy["read_back_predicted_wrong"])


def test_held_out_readers_have_not_seen_the_sentences_of_the_example():
    # Every example of a class has a word of its own, which only the reader that was shown it would know.
    sentences = [["red alpha"], ["white beta"], ["red gamma"], ["white delta"]]
    readers = HeldOutReadBack(sentences, [0, 1, 0, 1])
    assert readers.predict(["white alpha", "red beta", "white gamma", "red delta"]).tolist() == [1, 0, 1, 0]
    assert ReadBack().fit(sentences, [0, 1, 0, 1]).predict(["alpha", "beta"]).tolist() == [0, 1]
    prior = readers.predict(["alpha", "beta", "gamma", "delta"])
    assert len(set(prior.tolist())) == 1


@pytest.mark.parametrize("count", [3, 5])
def test_held_out_readers_want_a_sentence_an_example(count):
    readers = HeldOutReadBack([["red"], ["white"]] * 2, [0, 1] * 2)
    with pytest.raises(ValueError, match=f"a sentence for each of 4 examples, got {count}"):
        readers.predict(["red"] * count)


def test_held_out_readers_need_two_examples_a_class():
    with pytest.raises(ValueError, match="class 1 has a single example"):
        HeldOutReadBack([["red"], ["white"], ["red"]], [0, 1, 0])


def test_held_out_readers_need_two_folds():
    with pytest.raises(ValueError, match="folds must be at least 2, got 1"):
        HeldOutReadBack([["red"], ["white"]], [0, 1], folds=1)


matrices = arrays.arrays(
    "float32",
    st.tuples(st.integers(1, 9), st.integers(1, 7)),
    elements=st.sampled_from([0.0, 0.0, 1.0, -2.0]),
)


@given(matrices, st.integers(1, 5), st.integers(0, 9))
@settings(deadline=None)
def test_sparse_products_equal_dense_ones(dense, block, seed):
    generator = np.random.default_rng(seed)
    row, column = np.nonzero(dense)
    order = generator.permutation(len(row))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("interpnet_tf.metrics.sparse._BLOCK", block)
        sparse = SparseMatrix(row[order], column[order], dense[row, column][order], dense.shape)
        transposed = sparse.transposed
    right = generator.normal(size=(dense.shape[1], 3)).astype("float32")
    left = generator.normal(size=(dense.shape[0], 3)).astype("float32")
    np.testing.assert_allclose(sparse @ right, dense @ right, atol=1e-5)
    np.testing.assert_allclose(transposed @ left, dense.T @ left, atol=1e-5)


@given(st.integers(1, 8), st.integers(0, 100))
@settings(deadline=None, max_examples=30)
def test_minimize_solves_a_linear_system(size, seed):
    generator = np.random.default_rng(seed)
    factor = generator.normal(size=(size, size))
    matrix, goal = factor @ factor.T + np.eye(size), generator.normal(size=size)
    found = minimize(
        lambda x: (float(x @ matrix @ x / 2 - goal @ x), matrix @ x - goal), np.zeros(size), tolerance=1e-8
    )
    np.testing.assert_allclose(found, np.linalg.solve(matrix, goal), atol=1e-5)


def test_minimize_stays_at_a_minimum():
    start = np.array([2.0])
    assert minimize(lambda x: (float((x[0] - 2) ** 2), 2 * (x - 2)), start) == start


def test_minimize_ends_where_rounding_hides_every_decrease():
    """Beside 1000 a float32 does not see what is left to gain once x is within 0.005 of the minimum."""
    asked = []

    def function(x):
        asked.append(x)
        return float(np.float32(1000) + ((x - 3) ** 2).sum()), 2 * (x - 3) + np.float32(1e-3)

    found = minimize(function, np.zeros(2, "float32"), iterations=1000, tolerance=0)
    np.testing.assert_allclose(found, [3, 3], atol=0.01)
    assert len(asked) < 100


@pytest.mark.slow
@pytest.mark.skipif(not CUB.exists(), reason="needs CUB's sentences in ../shared/data/cub")
def test_human_sentences_of_cub_are_read_back_as_well_as_by_scikit_learn():
    # A bigram tf-idf logistic regression of scikit-learn: 45.2 % of first sentences, 81.3 % of all ten.
    from interpnet_tf.data import cub

    train, test = cub.load(CUB, "trainval"), cub.load(CUB, "test").explained()
    reader = ReadBack().fit(train.explanations, train.labels)
    first = reader.predict([sentences[0] for sentences in test.explanations])
    assert np.mean(first == test.labels) == pytest.approx(0.452, abs=0.003)
    assert np.mean(reader.predict_together(test.explanations) == test.labels) == pytest.approx(
        0.813, abs=0.003
    )
