"""Where on a path gradients are taken, and how they are weighed."""

from __future__ import annotations

import numpy as np

from interpnet_tf.support.checks import check_whole


def path_points(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the points of a path from 0 to 1 and weights, whose weighted sums are integrals along it.

    Gauss-Legendre quadrature in the square root of the place on the path: so the points are closer at its
    begin, where the words of a decoder that normalizes what it reads change most. On trained networks this is
    nearer to complete than as many trapezoids, and with 64 points than Gauss-Legendre's own.

    Args:
        steps: number of points; polynomials of degree `steps - 1` are integrated exactly.

    Returns:
        Points and weights, float32 `(steps,)`.
    """
    check_whole("steps", steps, 1)
    roots, weights = np.polynomial.legendre.leggauss(steps)
    roots = (roots + 1) / 2
    return (roots**2).astype("float32"), (weights * roots).astype("float32")  # d(root ** 2) = 2 * root
