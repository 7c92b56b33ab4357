"""Paired bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpnet_tf.metrics import bleu
from interpnet_tf.metrics.bleu import bleu_counts
from interpnet_tf.metrics.bootstrap import bleu_4, paired_bootstrap

scores = st.lists(st.integers(0, 4), min_size=2, max_size=12)


def test_p_value_by_hand():
    # Two differences, 3 and -1: their means are 3, 1, 1, -1 with equal chance, so that one draw in four
    # contradicts the difference found.
    result = paired_bootstrap(np.array([3.0, 0.0]), np.array([0.0, 1.0]), samples=20000)
    assert result.difference == 1
    assert (result.low, result.high) == (-1, 3)
    assert result.p_value == pytest.approx(0.5, abs=0.02)


def test_a_difference_in_every_example_has_the_smallest_p_value():
    result = paired_bootstrap(np.arange(8.0) + 1, np.arange(8.0), samples=399)
    assert (result.difference, result.low, result.high) == (1, 1, 1)
    assert result.p_value == 2 / 400


def test_equal_systems_do_not_differ():
    result = paired_bootstrap(np.arange(8.0), np.arange(8.0), samples=100)
    assert (result.difference, result.p_value) == (0, 1)


@given(scores, st.integers(0, 5))
@settings(deadline=None, max_examples=40)
def test_the_order_of_the_systems_changes_the_sign_alone(values, seed):
    a, b = np.array(values, "float64"), np.array(values[::-1], "float64")
    one, other = (paired_bootstrap(*pair, samples=50, seed=seed) for pair in ((a, b), (b, a)))
    assert one.difference == -other.difference
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert one.p_value == other.p_value


def test_blocks_change_nothing(monkeypatch):
    a, b = np.random.default_rng(0).normal(size=(2, 30))
    whole = paired_bootstrap(a, b, samples=50)
    monkeypatch.setattr("interpnet_tf.metrics.bootstrap._BLOCK", 100)
    assert paired_bootstrap(a, b, samples=50) == whole


def test_bleu_is_compared_by_its_counts():
    references = [["a black bird with a red bill"], ["a white gull with a bill"], ["it is a crow"]]
    good = [sentences[0] for sentences in references]
    bad = ["a black bird with a bill", "a white gull with red", "it is a bird"]
    counts = [bleu_counts(hypotheses, references) for hypotheses in (good, bad)]
    result = paired_bootstrap(*counts, statistic=bleu_4, samples=200)
    assert result.difference == pytest.approx(bleu(good, references)[3] - bleu(bad, references)[3])
    assert result.low > 0
    # A draw of the third example alone has no 4-gram right.
    assert result.high == pytest.approx(1)


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        ([1.0, 2.0], [1.0], {}, r"got \(2,\) and \(1,\)"),
        ([], [], {}, "must be scores of the same examples"),
        ([1.0, np.nan], [1.0, 2.0], {}, "a holds 1 scores that are not finite"),
        ([1.0], [1.0], {"samples": 0}, "samples must be at least 1"),
        ([1.0], [1.0], {"confidence": 1}, "confidence between 0 and 1"),
    ],
)
def test_wrong_arguments_are_named(a, b, options, message):
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(np.array(a), np.array(b), **options)
