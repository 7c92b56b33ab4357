"""Shapley values: those of small games worked out by hand, and what makes them Shapley values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpnet_tf.attribution.coalitions import shapley_design


def values_of(worth, players, **options) -> np.ndarray:
    coalitions, coefficients = shapley_design(players, **{"samples": 1, "seed": 0, **options})
    return coefficients.T @ np.array([worth(*coalition) for coalition in coalitions])


def test_where_worths_add_up_a_player_is_worth_its_own():
    assert values_of(lambda a, b, c: 5 * a + 2 * b - 3 * c, 3) == pytest.approx([5, 2, -3])


def test_what_two_only_do_together_is_shared():
    # v(a) = 1, v(b) = 0, v(c) = 0, v(ab) = 1 + 6, v(abc) = 7 + 3.
    # a and b share 6 for being together, all three share the 3 that takes them all.
    values = values_of(lambda a, b, c: a + 6 * (a and b) + 3 * (a and b and c), 3)
    assert values == pytest.approx([1 + 3 + 1, 3 + 1, 1])


def test_a_single_player_gets_everything():
    assert values_of(lambda a: 4 if a else 1, 1) == pytest.approx([3])


PLAYERS = 4
GAMES = st.lists(st.floats(-10, 10), min_size=2**PLAYERS, max_size=2**PLAYERS)
SWAPPED = {(True, False): (False, True), (False, True): (True, False)}


def as_worth(game):
    return lambda *present: game[sum(bool(one) << place for place, one in enumerate(present))]


@given(GAMES)
def test_efficiency(game):
    worth = as_worth(game)
    total = worth(*[True] * PLAYERS) - worth(*[False] * PLAYERS)
    assert values_of(worth, PLAYERS).sum() == pytest.approx(total, abs=1e-9)


@given(GAMES)
def test_symmetry(game):
    worth = as_worth(game)

    def symmetric(first, second, *others):
        return worth(first, second, *others) + worth(second, first, *others)

    first, second, *_ = values_of(symmetric, PLAYERS)
    assert first == pytest.approx(second, abs=1e-9)


@given(GAMES, st.floats(-5, 5))
def test_dummy(game, own):
    worth = as_worth(game)

    def with_dummy(dummy, *others):
        return own * dummy + worth(False, *others)

    assert values_of(with_dummy, PLAYERS)[0] == pytest.approx(own, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_from_nine_players_on_orders_are_drawn_and_nothing_is_lost(seed):
    # Where worths add up every order tells the whole truth; what two do together goes to the later.
    additive = values_of(lambda *present: np.arange(1, 10) @ np.array(present), 9, samples=3, seed=seed)
    assert additive == pytest.approx(np.arange(1, 10))
    together = values_of(lambda *present: 8 * (present[0] and present[1]), 9, samples=200, seed=seed)
    assert together.sum() == pytest.approx(8)
    assert together[2:] == pytest.approx(0)
    assert together[0] == pytest.approx(4, abs=1)  # a mean of 200 draws of 0 or 8: standard error 0.28


def test_the_same_seed_draws_the_same_orders():
    first, second, other = (shapley_design(10, 5, seed)[0] for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != other).any()
