"""Class probabilities from whatever a classifier's last layer gives."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def class_probabilities(classifier: keras.Model, scores: Any) -> tf.Tensor:
    """Turns a classifier's output into probabilities that sum to one.

    The activation of the last layer tells what the output is: a softmax gives probabilities; a sigmoid of
    one unit the probability of the second of two classes; anything else is read as logits.

    Args:
        classifier: the classifier that gave `scores`.
        scores: its output, `(batch, classes)`, or `(batch, 1)` for a sigmoid.

    Returns:
        Probabilities, float32 `(batch, classes)`.

    Example:

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    >>> class_probabilities(model, [[0.25]]).numpy().tolist()
    [[0.75, 0.25]]
    """
    scores = tf.cast(scores, tf.float32)
    kind = _output_activation(classifier)
    if scores.shape[-1] == 1:
        positive = scores if kind == "sigmoid" else tf.sigmoid(scores)
        return tf.concat([1 - positive, positive], axis=-1)
    if kind == "softmax":
        return scores
    if kind == "sigmoid":
        return scores / tf.maximum(tf.reduce_sum(scores, axis=-1, keepdims=True), 1e-12)
    return tf.nn.softmax(scores)


def _output_activation(model: keras.Model) -> str:
    last = model
    while isinstance(last, keras.Model) and last.layers:
        # A functional model's output may come from `keras.ops.softmax`, an operation that is no layer.
        last = getattr(last, "operations", last.layers)[-1]
    return getattr(getattr(last, "activation", None), "__name__", type(last).__name__).lower()
