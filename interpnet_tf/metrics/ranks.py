"""Ranks among values, with ties."""

from __future__ import annotations

import numpy as np

_DECIMALS = 9  # values that differ by less came from adding the same numbers in another order


def ranks_of(chosen: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Ranks one value of each row among all of that row, the highest first.

    Args:
        chosen: the column to rank in each row, `(rows,)`.
        values: `(rows, columns)`.

    Returns:
        Ranks from 1, float64 `(rows,)`; equal values share the mean of their places.

    Example:

    >>> ranks_of(np.array([0, 2]), np.array([[3.0, 4.0, 5.0], [1.0, 2.0, 2.0]]))
    array([3. , 1.5])
    """
    values = np.round(values, _DECIMALS)
    own = values[np.arange(len(values)), chosen][:, None]
    return 1 + (values > own).sum(axis=1) + ((values == own).sum(axis=1) - 1) / 2


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks all values, the lowest first.

    Args:
        values: `(values,)`.

    Returns:
        Ranks from 1, float64 `(values,)`; equal values share the mean of their places.

    Example:

    >>> average_ranks(np.array([0.2, 0.7, 0.1, 0.2]))
    array([2.5, 4. , 1. , 2.5])
    """
    values = np.round(values, _DECIMALS)
    below, equal = values[:, None] > values, values[:, None] == values
    return below.sum(axis=1) + (equal.sum(axis=1) + 1) / 2
