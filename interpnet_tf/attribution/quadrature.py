"""Where on a path gradients are taken, and how they are weighed."""

from __future__ import annotations

import numpy as np

from interpnet_tf.support.checks import check_whole


def gauss_legendre(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns points in (0, 1) and weights that integrate polynomials of degree `2 * steps - 1` exactly.

    The log-probabilities are smooth along the path: from 32 points on these are nearer to complete than the
    trapezoids of as many.

    Args:
        steps: number of points.

    Returns:
        Points and weights, float32 `(steps,)`.
    """
    check_whole("steps", steps, 1)
    points, weights = np.polynomial.legendre.leggauss(steps)
    return ((points + 1) / 2).astype("float32"), (weights / 2).astype("float32")
