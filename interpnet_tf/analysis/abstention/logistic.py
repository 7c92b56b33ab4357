"""Logistic regression on a few numbers an example: what makes a probability of them."""

from __future__ import annotations

import dataclasses

import numpy as np

from interpnet_tf.metrics.minimize import minimize

_ITERATIONS = 500


@dataclasses.dataclass(frozen=True)
class LogisticRegression:
    """P(true) = sigmoid(bias + Σ weight · (feature - mean) / scale), see `fit`.

    Args:
        mean, scale, weights: of each feature.
        bias: one number.

    Example:

    >>> features, true = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> LogisticRegression.fit(features, true).predict(features).round(1).tolist()
    [0.4, 0.4, 0.6, 0.6]

    References:
    - [Lin, Lin & Weng 2007](https://doi.org/10.1007/s10994-007-5018-6), on the targets
    """

    mean: list[float]
    scale: list[float]
    weights: list[float]
    bias: float

    @classmethod
    def fit(cls, features: np.ndarray, true: np.ndarray) -> LogisticRegression:
        """Learns from examples.

        The likelihood is weighed against ‖weights‖² / 2, the features having a variance of 1. In place of 1
        and 0 the targets are (T + 1) / (T + 2) of T true examples, and 1 / (F + 2) of F false ones: even if
        all are true, the next one may be false.

        Args:
            features: finite, `(examples, features)`.
            true: 0 or 1, `(examples,)`.
        """
        mean, scale = features.mean(axis=0), features.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        design = np.column_stack([(features - mean) / scale, np.ones(len(features))])
        count = np.count_nonzero(true)
        target = np.where(true, (count + 1) / (count + 2), 1 / (len(true) - count + 2))
        penalized = np.append(np.ones(len(mean)), 0.0)

        def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
            logits = design @ parameters
            value = (np.logaddexp(0, logits) - target * logits).sum() + penalized @ parameters**2 / 2
            return float(value), design.T @ (_sigmoid(logits) - target) + penalized * parameters

        *weights, bias = minimize(loss, np.zeros(len(penalized)), _ITERATIONS).tolist()
        return cls(mean.tolist(), scale.tolist(), weights, bias)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Returns the probabilities, float64 `(examples,)`."""
        return _sigmoid((features - self.mean) / self.scale @ np.array(self.weights) + self.bias)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -logits))
