import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpnet_tf.data import sketchbirds
from interpnet_tf.data.sketchbirds import SPECIES, BirdFacts
from interpnet_tf.metrics.facts import (
    attribute_precision,
    attribute_recall,
    distinguishing_rate,
    score_facts,
    varying_coverage,
    varying_precision,
)

# Alder Tolwit has a twin with a black crown; its place and cheek vary from bird to bird. Its legs are hidden.
TOLWIT = BirdFacts(
    "Alder Tolwit",
    {"crown": "red", "belly": "white", "legs": "black", "place": "branch", "cheek": "blue"},
    frozenset({"crown", "belly", "place", "cheek"}),
)
# Hermit Zephlin has no twin.
ZEPHLIN = BirdFacts(
    "Hermit Zephlin",
    {"crown": "purple", "place": "water", "cheek": "red"},
    frozenset({"crown", "place", "cheek"}),
)


def test_the_species_are_as_this_test_assumes():
    assert SPECIES["Alder Tolwit"].distinguishing == "crown"
    assert SPECIES["Alder Tolwit"].varying.keys() == {"place", "cheek"}
    assert SPECIES["Hermit Zephlin"].twin is None


def test_precision_counts_false_facts_over_all_sentences():
    sentences = [
        "this bird has a red crown and a yellow belly.",  # 1 of 2
        "a bird with a purple cap, swimming on the water.",  # 2 of 2
    ]
    assert attribute_precision(sentences, [TOLWIT, ZEPHLIN]) == 3 / 4


def test_precision_judges_hidden_parts_by_the_truth():
    assert attribute_precision(["a bird with black legs."], [TOLWIT]) == 1
    assert attribute_precision(["a bird with pink legs."], [TOLWIT]) == 0


def test_recall_counts_visible_facts_said():
    # The crown and the belly of four visible facts; the legs are hidden, and count for nothing.
    sentence = "a bird with a red crown, a white abdomen, and black legs."
    assert attribute_recall([sentence], [TOLWIT]) == 2 / 4
    assert attribute_recall([sentence, "a purple crown."], [TOLWIT, ZEPHLIN]) == 3 / 7


@pytest.mark.parametrize(
    ("sentence", "rate"),
    [
        ("a bird with a red crown.", 1),
        ("a bird with a red cap.", 1),
        ("a bird with a black crown.", 0),
        ("a bird with a red crown and a black crown.", 0),
        ("a bird with a white belly.", 0),
    ],
)
def test_distinguishing_rate_wants_the_right_value_alone(sentence, rate):
    assert distinguishing_rate([sentence], [TOLWIT]) == rate


def test_distinguishing_rate_leaves_out_species_without_a_twin():
    sentences = ["a purple crown.", "a red crown."]
    assert distinguishing_rate(sentences, [ZEPHLIN, TOLWIT]) == 1
    assert math.isnan(distinguishing_rate(sentences[:1], [ZEPHLIN]))


def test_varying_scores_leave_out_what_the_species_fixes():
    # The belly is fixed in this species; of cheek (wrong) and place (right) one of two is true.
    sentence = "a bird on a branch, with a yellow belly and a red cheek patch."
    assert varying_precision([sentence], [TOLWIT]) == 1 / 2
    assert varying_coverage([sentence], [TOLWIT]) == 2 / 2
    assert varying_coverage([sentence, "a purple crown."], [TOLWIT, ZEPHLIN]) == 2 / 4


def test_scores_of_nothing_are_nan():
    scores = score_facts([], [])
    assert scores.keys() == {
        "attribute_precision",
        "attribute_recall",
        "distinguishing_rate",
        "varying_precision",
        "varying_coverage",
    }
    assert all(math.isnan(value) for value in scores.values())


def test_a_silent_sentence_has_no_precision_and_no_recall():
    scores = score_facts(["."], [TOLWIT])
    assert math.isnan(scores["attribute_precision"])
    assert math.isnan(scores["varying_precision"])
    assert scores["attribute_recall"] == scores["distinguishing_rate"] == scores["varying_coverage"] == 0


def test_the_data_set_tells_the_truth_and_the_sentences_of_other_birds_do_not():
    birds = sketchbirds.load("test", per_species=2)
    sentences = [sentences[0] for sentences in birds.explanations]
    own = score_facts(sentences, birds.facts)
    others = score_facts(sentences[1:] + sentences[:1], birds.facts)
    assert own["attribute_precision"] == own["varying_precision"] == 1
    assert own["distinguishing_rate"] > 0.6
    assert others["attribute_precision"] < 0.8
    assert others["varying_precision"] < 0.6


@given(
    st.lists(st.sampled_from(["a red crown.", "black legs.", "it flies.", "no cheek patch.", ""]), max_size=6)
)
def test_shares_lie_between_0_and_1(sentences):
    for value in score_facts(sentences, [TOLWIT] * len(sentences)).values():
        assert math.isnan(value) or 0 <= value <= 1


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="of one length, got 2 and 1"):
        attribute_precision(["a.", "b."], [TOLWIT])


def test_a_text_is_not_a_list_of_sentences():
    with pytest.raises(ValueError, match="sequence of sentences"):
        attribute_precision("a red crown.", [TOLWIT])
