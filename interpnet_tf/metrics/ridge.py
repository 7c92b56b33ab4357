"""Ridge regression."""

from __future__ import annotations

import numpy as np


def ridge(inputs: np.ndarray, targets: np.ndarray, penalty: float) -> np.ndarray:
    """Returns the slopes of a linear regression whose intercept is not penalized.

    Args:
        inputs: `(examples, features)`.
        targets: `(examples, width)`.
        penalty: as a share of the examples: of a feature that is 1 in so large a share, and 0 elsewhere, half
            of the difference counts.

    Returns:
        `(features, width)`, by which targets less their mean follow from inputs less theirs.

    Example:

    >>> ridge(np.array([[0.0], [2.0]]), np.array([[0.0], [4.0]]), penalty=1.0).tolist()
    [[1.0]]
    """
    centred = inputs - inputs.mean(axis=0)
    gram = centred.T @ centred + penalty * len(inputs) * np.eye(inputs.shape[1])
    return np.linalg.solve(gram, centred.T @ (targets - targets.mean(axis=0)))
