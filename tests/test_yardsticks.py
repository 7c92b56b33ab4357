"""The rows that stand beside a score."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpnet_tf import metrics

CUB = Path(__file__).resolve().parents[2] / "shared" / "data" / "cub"

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


# Measured once on the 1,147 official test images of the 40 species with sentences.
KNOWN = {
    "constant": {"meteor": 39.6, "bleu_4": 59.0, "cider_d": 36.6},
    "human": {"meteor": 27.1, "bleu_4": 22.1, "cider_d": 21.1},
}


@pytest.mark.slow
@pytest.mark.skipif(not CUB.exists(), reason="needs CUB's sentences in ../shared/data/cub")
@pytest.mark.parametrize("kind", KNOWN)
def test_known_numbers_of_cub(kind):
    reason = metrics.meteor_unavailable()
    if reason:
        pytest.skip(reason)
    from interpnet_tf.data import cub

    references = cub.load(CUB, "test").explained().explanations
    assert len(references) == 1147
    if kind == "human":
        hypotheses, references = metrics.human_row(references)
    else:
        training = cub.load(CUB, "trainval").explanations
        hypotheses = [metrics.most_frequent_sentence(training)] * len(references)
    scores = metrics.score(hypotheses, references, metrics=KNOWN[kind])
    assert {name: round(100 * value, 1) for name, value in scores.items()} == KNOWN[kind]
