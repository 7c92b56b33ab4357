"""Shapley values of players, from what sets of them, coalitions, are worth."""

from __future__ import annotations

import itertools
import math

import numpy as np

MOST_EXACT = 8


def ablation_design(players: int) -> np.ndarray:
    """Returns the coalition of all, and all without each, bool `(1 + players, players)`.

    Example:

    >>> ablation_design(2).tolist()
    [[True, True], [False, True], [True, False]]
    """
    return np.concatenate([np.ones((1, players), bool), ~np.eye(players, dtype=bool)])


def shapley_design(players: int, samples: int, seed: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns which coalitions to value, and how to make Shapley values of their worths.

    Up to 8 players all coalitions are valued, and the Shapley values are exact. From 9 on they are the mean
    over random orders of the players; their sum is exact then too.

    Args:
        players: their number.
        samples: the number of random orders, where they are drawn.
        seed: of the orders, from 0; `None` draws anew.

    Returns:
        Coalitions, bool `(coalitions, players)`, the empty one first and the full one last, and coefficients,
        float `(coalitions, players)`: the Shapley values are `coefficients.T @ worths`.

    References:
    - Shapley 1953, A value for n-person games
    - [Castro et al. 2009](https://doi.org/10.1016/j.cor.2008.04.004), random orders

    Example:

    >>> coalitions, coefficients = shapley_design(2, samples=1, seed=0)
    >>> worths = [3 * first + 2 * second + 4 * (first and second) for first, second in coalitions]
    >>> (coefficients.T @ worths).tolist()
    [5.0, 4.0]
    """
    if players <= MOST_EXACT:
        coalitions = np.array(list(itertools.product((False, True), repeat=players)))
        others = coalitions.sum(axis=1, keepdims=True) - coalitions
        chance = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
        return coalitions, np.where(coalitions, 1, -1) * chance[np.minimum(others, players - 1)]
    random = np.random.default_rng(seed)
    rows, coefficients = [np.zeros(players, bool)], [np.zeros(players)]
    for _ in range(samples):
        order = random.permutation(players)
        place = 0  # the empty coalition
        for joining in order[:-1]:
            rows.append(rows[place].copy())
            rows[-1][joining] = True
            coefficients.append(np.zeros(players))
            coefficients[place][joining] -= 1 / samples
            coefficients[-1][joining] += 1 / samples
            place = len(rows) - 1
        coefficients[place][order[-1]] -= 1 / samples
    rows.append(np.ones(players, bool))
    last = np.zeros(players)
    for order_end in (np.flatnonzero(~row) for row in rows if row.sum() == players - 1):
        last[order_end[0]] += 1 / samples
    return np.array(rows), np.array([*coefficients, last])
