"""The round trip: how much of r(x) can be had back from the sentence that was said of it?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.analysis.faithfulness_metrics.sentence_vectors import SentenceVectors

_PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
_LEAST_VARIANCE = 1e-6
_HELD_OUT = 5  # every fifth training example chooses among them


def round_trip(material: Material) -> np.ndarray:
    """Measures which share of the variance of r(x) a reader has back from what was said.

    Of a layer it is 1 - Σ ‖r - r̂(e)‖² / Σ ‖r - mean‖², where r̂(e) is what a linear regression makes of the
    words and pairs of words of the sentence e, and the mean is that of the training examples; of r(x), the
    mean over its layers that vary. An example's figure is its part of that sum, so that the figures' mean is
    the share. The regression learns from people's training sentences only: a decoder and a reader that agree
    on a code of their own gain nothing. Higher is more faithful; below 0, the sentence misleads.

    Pitfall: most of r(x) follows from the class. A template that says the same of every example of a class
    has that back, too; see `round_trip_beyond_class`.

    Args:
        material: what the metrics read.

    Returns:
        Shares of the variance, `(examples,)`, each up to 1 on the mean.

    References:
    - [Alain & Bengio 2017](https://arxiv.org/abs/1610.01644), linear readers of layers
    """
    return _mean(_of_layers(material, beyond_class=False))


def round_trip_beyond_class(material: Material) -> np.ndarray:
    """Is `round_trip` of what r(x) has beyond the class: the mean of its predicted class is taken off.

    The means are those of training examples that the classifier takes for the class.

    Pitfall: what r(x) has beyond the class is no part of the reason for the class, unless the classifier had
    it from there. It is what distinguishes an explanation of this decision from one of all such decisions.

    Returns:
        Shares of the remaining variance, `(examples,)`; NaN where no training example is predicted to be of
        the class.
    """
    return _mean(_of_layers(material, beyond_class=True))


def round_trip_layers(material: Material) -> dict[str, np.ndarray]:
    """Returns the figures of `round_trip` for each layer of r(x)."""
    return _of_layers(material, beyond_class=False)


def round_trip_layers_beyond_class(material: Material) -> dict[str, np.ndarray]:
    """Returns the figures of `round_trip_beyond_class` for each layer of r(x)."""
    return _of_layers(material, beyond_class=True)


class _Targets(NamedTuple):
    """What is to be had back of the examples, `(examples, width)`, and of it what sentences tell."""

    values: np.ndarray
    vectors: SentenceVectors
    weights: np.ndarray
    bias: np.ndarray


def _of_layers(material: Material, beyond_class: bool) -> dict[str, np.ndarray]:
    targets = material.once(f"round trip, {beyond_class}", lambda: _fitted(material, beyond_class))
    found = targets.vectors(material.said) @ targets.weights + targets.bias
    left, all_of_it = (targets.values - found) ** 2, targets.values**2
    shares = {}
    for layer, part in material.model.introspector.slices.items():
        of_example = all_of_it[:, part].sum(axis=1)
        variance = np.nanmean(of_example)
        # A unit's variance is 1 in training; what a layer of the class has beyond the class is rounding.
        steady = variance < _LEAST_VARIANCE
        shares[layer] = (of_example - left[:, part].sum(axis=1)) / (np.nan if steady else variance)
    return shares


def _mean(of_layers: dict[str, np.ndarray]) -> np.ndarray:
    """Returns the mean over the layers that vary, `(examples,)`; NaN where none does."""
    varied = [shares for shares in of_layers.values() if not np.isnan(shares).all()]
    return np.mean(varied or list(of_layers.values()), axis=0)


def _fitted(material: Material, beyond_class: bool) -> _Targets:
    train_r, r = (material.model.standardize(part).numpy() for part in (material.train_r, material.r))
    mean = train_r.mean(axis=0)
    train_r, r = train_r - mean, r - mean
    if beyond_class:
        means = np.full((material.probabilities.shape[1], r.shape[1]), np.nan, "float32")
        for label in np.unique(material.train_predicted):
            means[label] = train_r[material.train_predicted == label].mean(axis=0)
        train_r, r = train_r - means[material.train_predicted], r - means[material.predicted]
    sentences = material.training_sentences
    return _Targets(r, sentences.encoder, *_ridge(sentences.vectors, sentences.owners, train_r))


def _ridge(vectors: np.ndarray, owners: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns weights `(features, width)` and bias of a regression with the best of `_PENALTIES`.

    Args:
        vectors: of the sentences, `(sentences, features)`.
        owners: the example of each sentence.
        targets: of the examples, `(examples, width)`.
    """
    held_out = np.arange(len(targets)) % _HELD_OUT == 0
    learning = ~held_out[owners]
    solve = _Ridge(vectors[learning], owners[learning], targets)
    examples, first = np.unique(owners, return_index=True)
    first = first[held_out[examples]]  # one sentence of each is enough to choose by
    rest, of_rest = vectors[first], targets[owners[first]]

    def error(penalty: float) -> float:
        weights, bias = solve(penalty)
        return float(((rest @ weights + bias - of_rest) ** 2).sum(dtype="float64"))

    best = min(_PENALTIES, key=error)
    return _Ridge(vectors, owners, targets)(best)


class _Ridge:
    """Ridge regressions of the same sentences with any penalty."""

    def __init__(self, vectors: np.ndarray, owners: np.ndarray, targets: np.ndarray) -> None:
        self._mean = vectors.mean(axis=0)
        counts = np.bincount(owners, minlength=len(targets)).astype("float32")
        self._target_mean = counts @ targets / counts.sum()
        of_owners = np.zeros((len(targets), vectors.shape[1]), "float32")
        np.add.at(of_owners, owners, vectors - self._mean)
        gram = vectors.T @ vectors - len(vectors) * np.outer(self._mean, self._mean)
        self._values, self._directions = np.linalg.eigh(gram)
        self._products = self._directions.T @ (of_owners.T @ targets)

    def __call__(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        scaled = self._products / (np.maximum(self._values, 0) + penalty)[:, None]
        weights = self._directions @ scaled
        return weights, self._target_mean - self._mean @ weights
