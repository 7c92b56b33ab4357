"""NaN and infinity are named, not explained: in what a classifier reads, in its weights, in what it computes.

They do not always come out again: some kernels make zero of a ReLU of NaN, and a classifier then answers as
if nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def finite_batches(batches: Iterable[Any], name: str = "x") -> Iterator[Any]:
    """Yields batches of inputs; raises a `ValueError` that names the first example with NaN or infinity.

    Args:
        batches: of what a classifier reads.
        name: of the argument, for the message.
    """
    done = 0
    for batch in batches:
        check_inputs(batch, done, name)
        yield batch
        done += len(keras.tree.flatten(batch)[0])


def finite_r(
    read: Callable[[Any], tf.Tensor], classifier: keras.Model, batches: Iterable[Any]
) -> Iterator[np.ndarray]:
    """Yields r(x) of each batch, float32 `(batch, width)`.

    Args:
        read: gives r(x) of a batch.
        classifier: whose r(x) it is.
        batches: of what the classifier reads.

    Raises:
        ValueError: if x or r(x) is not finite for some example, which is named.
    """
    done = 0
    for batch in finite_batches(batches):
        r = read(batch).numpy()
        check_results(classifier, np.isfinite(r).all(axis=1), done)
        yield r
        done += len(r)


def check_inputs(x: Any, begin: int = 0, name: str = "x") -> None:
    """Raises a `ValueError` that names the first example of a batch in which there is NaN or infinity.

    Args:
        x: what a classifier reads, an array or a structure of arrays `(batch, ...)`.
        begin: number of the batch's first example.
        name: of the argument, for the message.
    """
    for part in keras.tree.flatten(x):
        numbers = np.asarray(part) if isinstance(part, np.ndarray | tf.Tensor) else None
        if numbers is None or numbers.dtype.kind != "f" or np.isfinite(numbers).all():
            continue
        row = int(np.flatnonzero(~np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1))[0])
        raise ValueError(
            f"{name} holds NaN or infinity in example {begin + row}; replace such values or leave the "
            "example out"
        )


def check_weights(classifier: keras.Model) -> None:
    """Raises a `ValueError` that names the first weight in which there is NaN or infinity."""
    for weight in classifier.weights:
        if keras.backend.is_float_dtype(weight.dtype) and not _all_finite(weight.value):
            raise ValueError(
                f"the classifier's weight {weight.path!r} holds NaN or infinity; train the classifier anew, "
                "say at a lower learning rate"
            )


def check_results(classifier: keras.Model, finite: np.ndarray, begin: int = 0) -> None:
    """Raises a `ValueError` that names the first example whose r(x) or probabilities are not finite, and why.

    Args:
        classifier: that gave them, of inputs that are known to be finite.
        finite: bool `(batch,)`, whether an example's results are finite.
        begin: number of the batch's first example.
    """
    if finite.all():
        return
    check_weights(classifier)
    row = begin + int(np.flatnonzero(~finite)[0])
    raise ValueError(
        f"r(x) of example {row} is not finite though x and the classifier's weights are: its numbers "
        "overflow; scale x as in the classifier's training, or let the classifier compute in float32"
    )


def _all_finite(value: Any) -> bool:
    return bool(tf.reduce_all(tf.math.is_finite(value)))
