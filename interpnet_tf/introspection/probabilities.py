"""Class probabilities from whatever a classifier gives: the one place that decides how its output is read."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.introspection.output_samples import NoSamplesError, are_distributions, sample_outputs

OUTPUTS = ("probabilities", "logits", "multi_label", "multi_label_logits")


def class_probabilities(classifier: keras.Model, scores: Any, output: str | None = None) -> tf.Tensor:
    """Turns a classifier's output into the probability of each class.

    Probabilities stay as they are, in float32; logits go through a softmax. Of one unit, the probability or
    logit of the second class, two classes are made. Labels that do not exclude each other keep their
    independent probabilities, which do not sum to one.

    Args:
        classifier: the classifier that gave `scores`.
        scores: its output, `(batch, classes)`, also with further axes of length one; of one unit
            `(batch, 1)`.
        output: what `output_kind` says of the classifier; `None` asks it.

    Returns:
        Probabilities, float32 `(batch, classes)`.

    Raises:
        ValueError: if `output` is `None` and it cannot be told what the classifier gives.

    Example:

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    >>> class_probabilities(model, [[0.25]]).numpy().tolist()
    [[0.75, 0.25]]
    """
    output = output_kind(classifier) if output is None else output
    scores = tf.cast(scores, tf.float32)
    units = output_units(classifier)
    if scores.shape.rank != 2:
        scores = tf.reshape(scores, (-1, units))
    if units == 1:
        positive = tf.sigmoid(scores) if output in ("logits", "multi_label_logits") else scores
        return tf.concat([1 - positive, positive], axis=-1)
    if output == "logits":
        return tf.nn.softmax(scores)
    return tf.sigmoid(scores) if output == "multi_label_logits" else scores


def class_count(classifier: keras.Model) -> int:
    """Returns how many classes a classifier tells apart: two where it has one unit.

    Raises:
        ValueError: if its output is no vector of known length for each example.
    """
    return max(2, output_units(classifier))


def output_kind(classifier: keras.Model, output: str | None = None) -> str:
    """Says how a classifier's output is to be read.

    It is decided by what the end of the classifier computes, run on random numbers (see `sample_outputs`):
    numbers that are never negative and sum to one are probabilities, independent numbers in [0, 1] are those
    of several labels (of one unit: the probability of the second class), and numbers without bounds are
    logits, also those of a regression. Several unbounded numbers that were compiled with a binary
    cross-entropy are the logits of labels. All else is doubt: tanh, ReLU, percentages.

    Args:
        classifier: a functional or built Sequential model with one output.
        output: the user's word, which is taken: `"probabilities"`; `"logits"`, before the softmax (of one
            unit: before the sigmoid); `"multi_label"`, several labels that do not exclude each other. `None`
            decides.

    Returns:
        `output`, or what was found: one of `OUTPUTS`. `"multi_label_logits"` are labels before the sigmoid.

    Raises:
        ValueError: if `output` is none of these; or if it is `None` and the numbers leave it in doubt.

    Example:

    >>> inputs = keras.Input((3,))
    >>> heads = [keras.layers.Dense(4, "softmax")(inputs) for _ in range(2)]
    >>> output_kind(keras.Model(inputs, keras.layers.Average()(heads)))
    'probabilities'
    """
    if output is not None and output not in OUTPUTS:
        raise ValueError(
            f"output must be 'probabilities', 'logits' or 'multi_label', or None to decide, got {output!r}"
        )
    units = output_units(classifier)
    try:
        as_is, moved = (rows.reshape(len(rows), units) for rows in sample_outputs(classifier))
    except NoSamplesError as error:
        if output:
            return output
        raise _doubt(classifier, str(error)) from error
    if units == 1 and are_distributions(as_is) and are_distributions(moved):
        raise ValueError(
            f"the classifier {classifier.name!r} has one class: its only output is always 1, as a softmax of "
            "one unit is; use a sigmoid for two classes, or a unit for each class"
        )
    if output == "probabilities" and not _within(as_is, 0, 1):
        raise ValueError(
            f"output='probabilities' does not fit the classifier {classifier.name!r}, which gives "
            f"numbers from {as_is.min():.3g} to {as_is.max():.3g}; say 'logits' or 'multi_label', or end it "
            "with a softmax"
        )
    if output == "multi_label" and not _within(np.concatenate([as_is, moved]), 0, 1):
        return "multi_label_logits"
    return output or _judge(classifier, as_is, moved)


def _judge(classifier: keras.Model, as_is: np.ndarray, moved: np.ndarray) -> str:
    if not len(as_is) or not len(moved):
        raise _doubt(classifier, "its end gives NaN or infinity on random numbers")
    rows, units = np.concatenate([as_is, moved]), as_is.shape[1]
    if np.ptp(rows, axis=0).max() == 0:
        raise _doubt(classifier, "its output is the same whatever it reads")
    # What is constant may look like probabilities by its bias alone; then the moved weights tell.
    varied = np.ptp(as_is, axis=0).max() > 0
    if units > 1 and are_distributions(as_is) and (varied or are_distributions(moved)):
        return "probabilities"
    if units > 1 and are_distributions(as_is.T) and are_distributions(moved.T):
        raise _doubt(classifier, "its softmax runs over the examples of a batch, not over the classes")
    if _within(rows, 0, 1):
        if units == 1:
            return "probabilities"
        if rows.sum(axis=1).min() < 1 < rows.sum(axis=1).max():
            return "multi_label"
        raise _doubt(classifier, "its numbers in [0, 1] neither sum to one nor are independent")
    if _within(rows, 0, math.inf):
        raise _doubt(classifier, "its numbers are never negative, but neither sum to one nor stay below one")
    if _within(rows, -1, 1):
        raise _doubt(classifier, "its numbers stay between -1 and 1, as those of a tanh")
    return "multi_label_logits" if units > 1 and _learns_labels(classifier) else "logits"


def _within(rows: np.ndarray, low: float, high: float) -> bool:
    return bool(rows.min(initial=low) >= low - 1e-3 and rows.max(initial=low) <= high + 1e-3)


def _learns_labels(classifier: keras.Model) -> bool:
    """Whether the classifier was compiled with the loss of labels that do not exclude each other."""
    loss = getattr(classifier, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", ""))
    return str(name).startswith("binary_")


def _doubt(classifier: keras.Model, seen: str) -> ValueError:
    return ValueError(
        f"it is in doubt what the classifier {classifier.name!r} gives: {seen}. Say it: "
        "InterpNet(…, output='probabilities'), 'logits' (before a softmax, or the sigmoid of one unit) "
        "or 'multi_label' (several labels that do not exclude each other)"
    )


def output_units(classifier: keras.Model) -> int:
    """Returns the length of the vector that a classifier gives for an example.

    Raises:
        ValueError: if it gives no vector of known length, but a map or a sequence of them.
    """
    shape = tuple(classifier.outputs[0].shape)
    if len(shape) < 2:
        raise ValueError(
            f"the classifier's output must be (batch, classes), got {shape} from {classifier.name!r}; "
            "keep the last axis, of one unit for two classes"
        )
    lengths = [size for size in shape[1:] if size != 1]
    if len(lengths) > 1 or None in lengths:
        raise ValueError(
            f"the classifier's output must be (batch, classes), got {shape} from {classifier.name!r}; "
            "end it with a pooling, keras.layers.Flatten() or the last step: one vector an example"
        )
    return lengths[0] if lengths else 1
