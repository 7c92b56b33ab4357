"""The rows that stand beside a score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpnet_tf import metrics

examples = st.lists(st.lists(st.text("ab ", min_size=1), min_size=2, max_size=5), min_size=1)


def test_most_frequent_sentence_counts_over_all_examples():
    assert metrics.most_frequent_sentence([["b", "a"], [], ["c", "a"], ["c", "a"]]) == "a"


def test_most_frequent_sentence_of_equals_is_the_first_seen():
    assert metrics.most_frequent_sentence([["z"], ["b", "a"], ["a", "b", "c"]]) == "b"


@pytest.mark.parametrize("nothing", [[], [[], []]])
def test_most_frequent_sentence_of_none_is_an_error(nothing):
    with pytest.raises(ValueError, match="at least one sentence"):
        metrics.most_frequent_sentence(nothing)


def test_human_row_takes_the_first_sentence():
    assert metrics.human_row([["a", "b", "a"], ["c", "d"]]) == (["a", "c"], [["b", "a"], ["d"]])


@given(examples, st.integers())
def test_human_row_divides_every_example(references, seed):
    hypotheses, others = metrics.human_row(references, seed)
    for hypothesis, rest, sentences in zip(hypotheses, others, references, strict=True):
        assert sorted([hypothesis, *rest]) == sorted(sentences)
    assert metrics.human_row(references, seed) == (hypotheses, others)


def test_human_row_draws_among_all_sentences():
    hypotheses, _ = metrics.human_row([["a", "b", "c"]] * 100, seed=0)
    assert set(hypotheses) == {"a", "b", "c"}


def test_human_row_needs_two_sentences():
    with pytest.raises(ValueError, match=r"references\[1\] must have two sentences or more.*got 1"):
        metrics.human_row([["a", "b"], ["a"]])


def test_random_sentence_is_one_of_the_true_class():
    sentences, labels = [["a", "b"], ["c"], [], ["d"]], [0, 1, 1, 0]
    wanted = [0, 1] * 50
    drawn = metrics.random_sentence_of_class(sentences, labels, wanted)
    assert set(drawn[::2]) == {"a", "b", "d"}
    assert set(drawn[1::2]) == {"c"}
    assert metrics.random_sentence_of_class(sentences, labels, wanted) == drawn
    assert metrics.random_sentence_of_class(sentences, labels, wanted, seed=1) != drawn


def test_random_sentence_of_a_class_without_any_is_an_error():
    with pytest.raises(ValueError, match="class 2 has no training sentence"):
        metrics.random_sentence_of_class([["a"], []], [0, 2], [0, 2])


def test_nearest_neighbour_goes_by_direction_among_those_with_sentences():
    # The second points the same way as the query, though far away; the third does too, and is silent.
    training = np.array([[1.0, 0.0], [0.0, 9.0], [0.1, 1.0]])
    assert metrics.nearest_neighbour([["a"], ["b"], []], training, np.array([[0.1, 1.0]])) == ["b"]


def test_nearest_neighbour_draws_among_its_sentences():
    said = metrics.nearest_neighbour([["a", "b", "c"]], np.ones((1, 2)), np.ones((60, 2)))
    assert set(said) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("sentences", "training", "features", "message"),
    [
        ([["a"]], np.ones((2, 3)), np.ones((1, 3)), r"training_features must be \(1, width\)"),
        ([["a"]], np.ones((1, 3)), np.ones((1, 2)), r"got \(1, 3\) and \(1, 2\)"),
        ([["a"]], np.ones((1, 3)), np.ones(3), r"got \(1, 3\) and \(3,\)"),
        ([[]], np.ones((1, 3)), np.ones((1, 3)), "at least one sentence"),
    ],
)
def test_nearest_neighbour_names_what_is_wrong(sentences, training, features, message):
    with pytest.raises(ValueError, match=message):
        metrics.nearest_neighbour(sentences, training, features)


def test_variety_by_hand():
    # Spacing and case make no other sentence; punctuation is no word: a, white, gull, bird, it, 's.
    hypotheses = ["A white gull.", "a white gull .", "a bird, a bird!", "it's a gull"]
    assert metrics.variety(hypotheses, [["a white gull."], ["a bird"]]) == {
        "distinct_sentences": 3,
        "new_share": 0.5,
        "vocabulary": 6,
    }


def test_variety_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="hypotheses must hold at least one sentence"):
        metrics.variety([], [["a"]])
