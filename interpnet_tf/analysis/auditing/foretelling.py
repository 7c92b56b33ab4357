"""`foretold`: whether what people say of examples tells how a network decides about them."""

from __future__ import annotations

from typing import Any

import numpy as np

from interpnet_tf.metrics.ridge import ridge

_PENALTY = 0.015
_LEAST_PROBABILITY = 1e-6
_LEAST_CLASSES = 3


def foretold(
    train: tuple[np.ndarray, np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray, np.ndarray],
    samples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Measures how much of a network's decisions is foretold by what people say of the examples.

    For each class, a ridge regression learns from the examples of all *other* classes how the logarithms of
    the class probabilities, less their mean, follow from what people say of an example. It then foretells
    those of the examples of this class:

        foretold = 1 - Σ ‖logits - foretold logits‖² / Σ ‖logits - mean of the other classes‖²

    over all examples. What is said of a class can be learnt by heart together with whatever else is peculiar
    to it; what is learnt of other classes holds for it only if the network decides by what is said. A network
    that decides by a shortcut scores below 0: its logits follow from something that no sentence speaks of.

    Direction: higher is better, and 1 is most. Pitfall: sentences that leave out much of what is there, or
    hardly differ between classes, foretell little of an honest network too; and classes must be several.

    Args:
        train: of the training examples class probabilities `(examples, classes)`, labels `(examples,)`, and
            whether each concept is said of each, `(examples, concepts)`.
        test: the same of the examples to be foretold.
        samples: how many times the classes are drawn anew for the interval.
        seed: of these draws.

    Returns:
        A dict of `value`, `interval`, in which 95 % of the values of classes drawn anew lie, `classes`, their
        number, and `others`: the value where each class gets what people say of the next one, which is what a
        network without any part in it could reach. `None` in place of numbers with fewer than three classes.
    """
    logits, labels, said = _centred(train[0]), np.asarray(train[1]), np.asarray(train[2], "float64")
    test_logits, test_labels, test_said = (
        _centred(test[0]),
        np.asarray(test[1]),
        np.asarray(test[2], "float64"),
    )
    classes = np.intersect1d(labels, test_labels)
    if len(classes) < _LEAST_CLASSES:
        return {"value": None, "interval": None, "classes": len(classes), "others": None}
    errors, other_errors, totals = [], [], []
    for place, of_class in enumerate(classes):
        others = labels != of_class
        mean_said, mean_logits = said[others].mean(axis=0), logits[others].mean(axis=0)
        slopes = ridge(said[others], logits[others], _PENALTY)
        asked = test_labels == of_class
        truth = test_logits[asked] - mean_logits
        of_next = test_said[test_labels == classes[(place + 1) % len(classes)]].mean(axis=0)
        errors.append(((truth - (test_said[asked] - mean_said) @ slopes) ** 2).sum())
        other_errors.append(((truth - (of_next - mean_said) @ slopes) ** 2).sum())
        totals.append((truth**2).sum())
    errors, other_errors, totals = map(np.array, (errors, other_errors, totals))
    drawn = np.random.default_rng(seed).integers(len(classes), size=(samples, len(classes)))
    values = 1 - errors[drawn].sum(axis=1) / np.maximum(totals[drawn].sum(axis=1), 1e-12)
    return {
        "value": float(1 - errors.sum() / max(totals.sum(), 1e-12)),
        "interval": [float(bound) for bound in np.percentile(values, [2.5, 97.5])],
        "classes": len(classes),
        "others": float(1 - other_errors.sum() / max(totals.sum(), 1e-12)),
    }


def _centred(probabilities: np.ndarray) -> np.ndarray:
    logits = np.log(np.asarray(probabilities, "float64") + _LEAST_PROBABILITY)
    return logits - logits.mean(axis=1, keepdims=True)
