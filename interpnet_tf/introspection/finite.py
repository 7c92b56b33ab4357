"""NaN and infinity are named, not explained: in what a classifier reads, in its weights, in what it computes.

They do not always come out again: some kernels make zero of a ReLU of NaN, and a classifier then answers as
if nothing had been.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.introspection.number_column import may_be_missing


def finite_batches(batches: Iterable[Any], classifier: keras.Model, name: str = "x") -> Iterator[Any]:
    """Yields batches of inputs; raises a `ValueError` that names the first example with NaN or infinity.

    Args:
        batches: of what the classifier reads.
        classifier: one that knows missing numbers may get NaN for them.
        name: of the argument, for the message.
    """
    done, missing = 0, may_be_missing(classifier)
    for batch in batches:
        check_inputs(batch, missing, done, name)
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
    for batch in finite_batches(batches, classifier):
        r = read(batch).numpy()
        check_results(classifier, np.isfinite(r).all(axis=1), done)
        yield r
        done += len(r)


def check_inputs(x: Any, missing: Sequence[bool] = (), begin: int = 0, name: str = "x") -> None:
    """Raises a `ValueError` that names the first example of a batch in which there is NaN or infinity.

    Args:
        x: what a classifier reads, an array or a structure of arrays `(batch, ...)`.
        missing: of each array, whether NaN stands for what is missing, see `number_column.may_be_missing`.
        begin: number of the batch's first example.
        name: of the argument, for the message.
    """
    for part, may_be_nan in itertools.zip_longest(keras.tree.flatten(x), missing, fillvalue=False):
        numbers = np.asarray(part) if isinstance(part, np.ndarray | tf.Tensor) else None
        if numbers is None or numbers.dtype.kind != "f":
            continue
        wrong = np.isinf(numbers) if may_be_nan else ~np.isfinite(numbers)
        if wrong.any():
            row = int(np.flatnonzero(wrong.reshape(len(numbers), -1).any(axis=1))[0])
            raise ValueError(
                f"{name} holds {'' if may_be_nan else 'NaN or '}infinity in example {begin + row}; replace "
                "such values or leave the example out"
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
