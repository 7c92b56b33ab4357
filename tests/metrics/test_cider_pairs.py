"""CIDEr-D of every sentence with every example, and the ranks made of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpnet_tf.metrics import cider_d_sentences
from interpnet_tf.metrics.cider_pairs import CiderPairs
from interpnet_tf.metrics.class_relevance import class_relevance, class_similarities
from interpnet_tf.metrics.ranks import ranks_of
from interpnet_tf.metrics.self_retrieval import retrieval_ranks, self_retrieval

sentence = st.lists(st.sampled_from("abcd"), min_size=1, max_size=9).map(" ".join)
corpora = st.lists(st.lists(sentence, min_size=1, max_size=3), min_size=1, max_size=5)


@settings(deadline=None)
@given(corpora, st.lists(sentence | st.just("") | st.just("e a"), min_size=1, max_size=3))
def test_every_value_is_that_of_cider_d(references, hypotheses):
    # Words repeat, so that clipping matters, and lengths differ.
    naive = [cider_d_sentences([hypothesis] * len(references), references) for hypothesis in hypotheses]
    np.testing.assert_allclose(CiderPairs(references)(hypotheses), naive, atol=1e-9)


def test_no_hypotheses_give_no_rows():
    assert CiderPairs([["a"], ["b"]])([]).shape == (0, 2)


def test_an_example_without_references_is_an_error():
    with pytest.raises(ValueError, match=r"references\[1\] has no sentence"):
        CiderPairs([["a"], []])


def test_class_similarity_is_the_mean_over_all_references_of_the_class():
    # Class 2 has "x" once in three references (of two examples, with one and two); class 5 has none.
    # Each sentence of one word has unigrams alone: a quarter of 10 where it is the reference.
    references = [["x"], ["y", "y"], ["z"]]
    similarities, classes = class_similarities(["x"], references, [2, 2, 5])
    np.testing.assert_allclose(similarities, [[2.5 / 3, 0.0]])
    assert classes.tolist() == [2, 5]


def test_class_rank_counts_the_classes_that_are_more_similar():
    references = [["x"], ["y"], ["z"], ["z"]]
    similarities, ranks = class_relevance(["x", "x", "x", "w"], references, np.array([0, 1, 3, 3]))
    # "x" is class 0's; the others are alike to it, and share places 2 and 3. "w" is like none: 1 to 3.
    assert ranks.tolist() == [1, 2.5, 2.5, 2]
    np.testing.assert_allclose(similarities, [2.5, 0, 0, 0])


def test_class_relevance_wants_a_label_an_example():
    with pytest.raises(ValueError, match=r"one class id an example, \(2,\), got \(1,\)"):
        class_relevance(["x", "y"], [["x"], ["y"]], np.array([0]))


def test_a_sentence_that_fits_all_finds_its_image_by_chance():
    references = [["a bird", f"a {word} bird"] for word in "wxyz"]
    assert retrieval_ranks(["a bird"] * 4, references).tolist() == [2.5] * 4
    assert retrieval_ranks([f"a {word} bird" for word in "wxyz"], references).tolist() == [1] * 4


@settings(deadline=None)
@given(corpora.filter(lambda references: len(references) > 1), st.data())
def test_places_are_shared_fairly(references, data):
    # Whatever is said, the ranks of all examples for one sentence add up to those of any order of them.
    hypothesis = data.draw(sentence)
    ranks = retrieval_ranks([hypothesis] * len(references), references)
    assert ranks.sum() == pytest.approx(len(references) * (len(references) + 1) / 2)


def test_ranks_do_not_see_rounding_errors():
    values = np.array([[0.1 + 0.2, 0.3, 0.2]])
    assert values[0, 0] != values[0, 1]
    assert ranks_of(np.array([1]), values).tolist() == [1.5]


def test_self_retrieval_by_hand():
    assert self_retrieval(np.array([1.0, 2.0, 10.0, 10.5, 30.0])) == {
        "retrieval_at_1": 0.2,
        "retrieval_at_10": 0.6,
        "retrieval_median_rank": 10.0,
    }
