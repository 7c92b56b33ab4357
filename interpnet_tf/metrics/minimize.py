"""L-BFGS, for convex functions of many variables."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

_MEMORY = 10
_SUFFICIENT_DECREASE = 1e-4


def minimize(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    iterations: int = 200,
    tolerance: float = 1e-5,
) -> np.ndarray:
    """Finds the minimum of a smooth convex function.

    Args:
        function: gives value and gradient at a point.
        start: where to begin, `(variables,)`.
        iterations: the most steps.
        tolerance: done when no component of the gradient is larger, relative to the largest at the start.

    Returns:
        The last point, `(variables,)`.

    Example:

    >>> minimize(lambda x: (float(((x - 3) ** 2).sum()), 2 * (x - 3)), np.zeros(2)).round(3)
    array([3., 3.])

    References:

    - [Nocedal and Wright, 2006: Numerical Optimization](
      https://doi.org/10.1007/978-0-387-40065-5), algorithms 7.4 and 3.1
    """
    point = start
    value, gradient = function(point)
    goal = tolerance * np.abs(gradient).max()
    history: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=_MEMORY)
    for _ in range(iterations):
        if np.abs(gradient).max() <= goal:
            break
        direction = -_inverse_hessian_times(gradient, history)
        slope = float(direction @ gradient)
        # Before there is a history the gradient's length says nothing about how far to go.
        step = 1.0 if history else 1.0 / max(1.0, float(np.linalg.norm(gradient)))
        while True:
            new_point = point + step * direction
            new_value, new_gradient = function(new_point)
            # Near the minimum the decrease that suffices may be lost in rounding: then nothing is a decrease.
            if new_value < value and new_value <= value + _SUFFICIENT_DECREASE * step * slope:
                break
            step /= 2
            if step < 1e-10:  # rounding errors are all that is left
                return point
        moved, turned = new_point - point, new_gradient - gradient
        curvature = float(moved @ turned)
        if curvature > 0:
            history.append((moved, turned, curvature))
        point, value, gradient = new_point, new_value, new_gradient
    return point


def _inverse_hessian_times(
    gradient: np.ndarray, history: deque[tuple[np.ndarray, np.ndarray, float]]
) -> np.ndarray:
    result, factors = gradient.copy(), []
    for moved, turned, curvature in reversed(history):
        factor = float(moved @ result) / curvature
        factors.append(factor)
        result -= factor * turned
    if history:
        _, turned, curvature = history[-1]
        result *= curvature / float(turned @ turned)
    for (moved, turned, curvature), factor in zip(history, reversed(factors), strict=True):
        result += (factor - float(turned @ result) / curvature) * moved
    return result
