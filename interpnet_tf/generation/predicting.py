"""What `keras.Model.predict` needs to run on an `InterpNet`: batches of inputs, and a step to arrays."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.inputs import input_batches, number_of_examples, read_arrays
from interpnet_tf.data.streams import is_stream, number_of_batches
from interpnet_tf.generation.decoding import Decoding
from interpnet_tf.generation.explaining import classify_and_read
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.generation.loop import generate
from interpnet_tf.introspection.finite import check_inputs, check_results, finite_batches
from interpnet_tf.introspection.number_column import may_be_missing


def predict_batch(model: ExplainingModel, x: Any) -> dict[str, tf.Tensor]:
    """Returns the probabilities of the classes and the ids of the most probable words, as tensors.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads.
    """
    probabilities, r = classify_and_read(model, x)
    seed = tf.zeros((2,), tf.int32)  # nothing is drawn
    said = generate(model.decoder, r, model.max_length, Decoding(), seed)
    return {"probabilities": probabilities, "token_ids": said.ids[:, 0]}


def with_texts(model: ExplainingModel, predicted: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns what `predict_batch` gave, as arrays, with the sentences that the ids spell."""
    check_results(model.classifier, np.isfinite(predicted["probabilities"]).all(axis=1))
    return {**predicted, "texts": np.array(model.tokenizer.detokenize(predicted["token_ids"]), dtype=np.str_)}


def nothing_predicted(model: ExplainingModel) -> dict[str, np.ndarray]:
    """Returns the arrays that stand for no example."""
    probabilities = np.zeros((0, len(model.class_names)), "float32")
    return {"probabilities": probabilities, "token_ids": np.zeros((0, model.max_length), "int32")}


@contextlib.contextmanager
def input_pipeline(
    x: Any, batch_size: int, introspector: keras.Model, steps: int | None = None
) -> Iterator[tf.data.Dataset | None]:
    """Gives batches of inputs as Keras' loop reads them, or `None` if there is no example.

    TensorFlow makes another error, of many lines, of what is raised within a pipeline; out of this context
    comes the first.

    Args:
        x, batch_size, steps: see `input_batches`.
        introspector: that reads them.
    """
    expected, missing = introspector.input, may_be_missing(introspector)
    if not is_stream(x):
        x = read_arrays(x, expected)
        check_inputs(x, missing)  # before the first batch is explained
    parts = finite_batches(input_batches(x, batch_size, expected, steps), introspector)
    first = next(parts, None)
    if first is None:
        yield None
        return

    def signature(part: tf.Tensor, expected: Any) -> tf.TensorSpec:
        fixed = part.shape[1:]
        if len(part.shape) == len(expected.shape):  # lengths that may differ between batches
            fixed = expected.shape[1:]
        return tf.TensorSpec((None, *fixed), part.dtype)

    # A list would be taken for one tensor, and a pair for inputs and targets.
    as_tuples = keras.tree.lists_to_tuples
    errors: list[Exception] = []

    def read() -> Iterator[Any]:
        try:
            for part in itertools.chain([first], parts):
                yield (as_tuples(part),)
        except Exception as error:  # a stream of the user's may raise anything
            errors.append(error)
            raise

    pipeline = tf.data.Dataset.from_generator(
        read,
        output_signature=(as_tuples(keras.tree.map_structure(signature, first, expected)),),
    )
    count = number_of_batches(x) if is_stream(x) else -(-number_of_examples(x) // batch_size)
    if count is not None:
        pipeline = pipeline.apply(tf.data.experimental.assert_cardinality(min(count, steps or count)))
    try:
        yield pipeline
    except tf.errors.OpError:
        if errors:
            raise errors[0] from None
        raise
