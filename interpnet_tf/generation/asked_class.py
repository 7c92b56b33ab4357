"""Why *that* class: r(x) as if the classifier had decided for a class that the user asks for."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.introspection.class_embedding import CLASS_EMBEDDING
from interpnet_tf.language.text import clean_name


def asked_classes(model: ExplainingModel, class_id: Any) -> np.ndarray:
    """Returns the numbers of the classes that the user asks for.

    Args:
        model: the `InterpNet`, which knows the classes' names.
        class_id: number or name of a class, or one for each example.

    Returns:
        int32, `()` for one class or `(examples,)`.

    Raises:
        ValueError: if there is no such class, or nothing in r(x) tells the decoder the class.
    """
    slices = model.introspector.slices
    if model.introspector.probabilities_path not in slices and CLASS_EMBEDDING not in slices:
        raise ValueError(
            "class_id cannot be asked for: r(x) does not hold the class probabilities, so that the decoder "
            f"knows no decision; build the model with {model.introspector.probabilities_path!r} in `layers`"
        )
    return class_numbers(model, class_id)


def class_numbers(model: ExplainingModel, class_id: Any) -> np.ndarray:
    """Returns the numbers of classes that the user names, int32, `()` for one or `(examples,)`.

    Raises:
        ValueError: if there is no such class.
    """
    several = not isinstance(class_id, str) and np.ndim(class_id) > 0
    if np.ndim(class_id) > 1:
        raise ValueError(f"class_id must be one class or one for each example, got {np.shape(class_id)}")
    numbers_of = [_number(model.class_names, one) for one in (class_id if several else [class_id])]
    return np.array(numbers_of if several else numbers_of[0], "int32")


def classes_of_batch(asked: np.ndarray, begin: int, size: int) -> tf.Tensor:
    """Returns the classes asked for of `size` examples from number `begin` on, int32 `(size,)`.

    Raises:
        ValueError: if a class is asked for each of fewer examples.
    """
    if asked.ndim and begin + size > len(asked):
        raise ValueError(
            f"class_id must be one class or one for each example, got {len(asked)} for {begin + size} or more"
        )
    return tf.constant(asked[begin : begin + size] if asked.ndim else np.full(size, asked))


def decided(model: ExplainingModel, r: Any, class_ids: Any) -> tf.Tensor:
    """Returns r(x) with the outputs of the classifier ordered so that the class asked for comes first.

    The outputs that r holds stay the same numbers and change places: the class asked for takes the largest,
    and the classes that stood above it move down one place each. So r stays what the decoder has learnt to
    read, be the outputs probabilities or logits, and r of the predicted class is r(x) itself. A class
    embedding becomes that of the class. All other activations are those of x.

    Args:
        model: the `InterpNet`.
        r: float `(batch, width)`, not standardized.
        class_ids: int `(batch,)`.
    """
    r, class_ids = tf.convert_to_tensor(r), tf.convert_to_tensor(class_ids, tf.int32)
    slices, path = model.introspector.slices, model.introspector.probabilities_path
    if path in slices:
        r = _replaced(r, slices[path], _ordered(r[:, slices[path]], class_ids, model.output_kind))
    if CLASS_EMBEDDING in slices:
        vectors = tf.convert_to_tensor(model.classifier.get_layer(CLASS_EMBEDDING).vectors)
        r = _replaced(r, slices[CLASS_EMBEDDING], tf.gather(vectors, class_ids))
    return r


def _ordered(scores: tf.Tensor, class_ids: tf.Tensor, output: str) -> tf.Tensor:
    if scores.shape[-1] == 1:  # of the second of two classes
        other = -scores if output in ("logits", "multi_label_logits") else 1 - scores
        larger, smaller = tf.maximum(scores, other), tf.minimum(scores, other)
        return tf.where(class_ids[:, None] == 1, larger, smaller)
    asked_first = tf.where(tf.one_hot(class_ids, scores.shape[-1], True, False), float("inf"), scores)
    order = tf.argsort(asked_first, direction="DESCENDING", stable=True)
    places = tf.argsort(order, stable=True)
    return tf.gather(tf.sort(scores, direction="DESCENDING"), places, axis=1, batch_dims=1)


def _replaced(r: tf.Tensor, where: slice, part: tf.Tensor) -> tf.Tensor:
    return tf.concat([r[:, : where.start], tf.cast(part, r.dtype), r[:, where.stop :]], axis=1)


def _number(names: Sequence[str], one: Any) -> int:
    one = np.asarray(one).item() if getattr(one, "shape", None) == () else one
    if isinstance(one, (str, bytes)):
        name = one.decode() if isinstance(one, bytes) else one
        found = [number for number, known in enumerate(names) if clean_name(known) == clean_name(name)]
        if len(found) != 1:
            what = "names no class" if not found else f"names {len(found)} classes; give the number of one"
            raise ValueError(f"class_id {name!r} {what}; model.class_names lists them")
        return found[0]
    if isinstance(one, bool) or not isinstance(one, numbers.Integral):
        raise ValueError(f"class_id must be the number or the name of a class, got {one!r}")
    if not 0 <= one < len(names):
        raise ValueError(f"class_id must be from 0 to {len(names) - 1}, got {one}")
    return int(one)
