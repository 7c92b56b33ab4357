"""Points and weights of the path integral."""

import pytest

from interpnet_tf.attribution.quadrature import path_points


def test_two_points_by_hand():
    # Gauss-Legendre's two on [0, 1], p = (1 -+ 1 / sqrt(3)) / 2 of weight 1/2, become p^2 of weight 2p / 2.
    roots = [(1 - 3**-0.5) / 2, (1 + 3**-0.5) / 2]
    points, weights = path_points(2)
    assert points == pytest.approx([root**2 for root in roots])
    assert weights == pytest.approx(roots)
    assert weights @ points == pytest.approx(1 / 2)  # exact for what is linear


def test_one_point_has_all_the_weight():
    assert [part.tolist() for part in path_points(1)] == [[0.25], [1.0]]


@pytest.mark.parametrize("degree", [0, 1, 5])
def test_exact_for_polynomials(degree):
    points, weights = path_points(6)
    assert weights @ points**degree == pytest.approx(1 / (degree + 1), rel=1e-5)


def test_refuses_no_steps():
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        path_points(0)
