"""Multinomial logistic regression on dense vectors."""

from __future__ import annotations

import numpy as np

from interpnet_tf.metrics.minimize import minimize

_ITERATIONS = 50


class SoftmaxRegression:
    """Learns classes from vectors: the likelihood, weighed by 3, against ‖weights‖² / 2, as in `ReadBack`.

    Args:
        vectors: float32 `(examples, features)`.
        labels: class ids, `(examples,)`.

    Example:

    >>> SoftmaxRegression(np.eye(2, dtype="float32"), np.array([7, 3])).predict(np.eye(2)).tolist()
    [7, 3]
    """

    def __init__(self, vectors: np.ndarray, labels: np.ndarray) -> None:
        self.classes, target = np.unique(labels, return_inverse=True)
        shape, rows = (vectors.shape[1] + 1, len(self.classes)), np.arange(len(target))

        def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
            weights, bias = np.split(parameters.reshape(shape), [-1])
            scores = vectors @ weights + bias
            scores -= scores.max(axis=1, keepdims=True)
            errors = np.exp(scores)
            sums = errors.sum(axis=1, keepdims=True)
            value = 3 * (np.log(sums[:, 0]) - scores[rows, target]).sum(dtype="float64")
            errors /= sums
            errors[rows, target] -= 1
            errors *= 3
            gradient = np.concatenate([vectors.T @ errors + weights, errors.sum(axis=0, keepdims=True)])
            return float(value + (weights**2).sum(dtype="float64") / 2), gradient.ravel()

        start = np.zeros(shape, "float32").ravel()
        self._weights, self._bias = np.split(minimize(loss, start, _ITERATIONS).reshape(shape), [-1])

    def predict(self, vectors: np.ndarray) -> np.ndarray:
        """Returns class ids, `(examples,)`."""
        return self.classes[(vectors @ self._weights + self._bias).argmax(axis=1)]
