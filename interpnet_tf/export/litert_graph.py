"""The graphs that a LiteRT file holds: classify, introspect, and explain with its loop over the words."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from interpnet_tf.export import signatures as served
from interpnet_tf.generation import silence
from interpnet_tf.generation.explaining import classify_and_read
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.introspection.probabilities import class_probabilities
from interpnet_tf.language.tokenizer import ExplanationTokenizer


def signatures(
    model: ExplainingModel, max_length: int, fold: bool | None = None
) -> dict[str, Callable[[Any], dict[str, tf.Tensor]]]:
    """Returns the functions of `x` that become the signatures of a file, by name.

    `explain` gives `class_id` int32 `(batch,)`, `probability` `(batch,)`, `probabilities` `(batch, classes)`,
    `token_ids` int32 `(batch, max_length)`: the words, the end id, padding 0; `log_probabilities` of them,
    `(batch, max_length)`, and `log_probability`, their sum, `(batch,)`. `classify` gives the first three,
    `introspect` every layer that r(x) is made of, by its path, and `r`.

    Args:
        model: the `InterpNet`; all of it computes in float32.
        max_length: the most ids of a sentence.
        fold: whether the decoder's weights are multiplied out (`ExplanationDecoder.fold`), which is faster;
            `None` does so where it adds less than a tenth to them.
    """

    decoder, vocabulary = _decoder(model, fold), model.tokenizer.vocabulary_size

    def classify(x: Any) -> dict[str, tf.Tensor]:
        scores = model.classifier(x, training=False)
        return _classification(class_probabilities(model.classifier, scores, model.output_kind))

    def explain(x: Any) -> dict[str, tf.Tensor]:
        probabilities, r = classify_and_read(model, x)
        return {**_classification(probabilities), **_sentence(decoder, r, max_length, vocabulary)}

    introspect = functools.partial(served.introspect, model)
    return {"explain": explain, "classify": classify, "introspect": introspect}


def _decoder(model: ExplainingModel, fold: bool | None) -> Any:
    """Returns what has the decoder's `start` and `step`."""
    decoder = model.decoder
    if fold is False:
        return decoder
    folded = decoder.fold()
    numbers = sum(math.prod(weight.shape) for weight in folded.values())
    return decoder.folded(folded) if fold or numbers < 1.1 * decoder.count_params() else decoder


def _classification(probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
    return {
        "class_id": tf.argmax(probabilities, axis=-1, output_type=tf.int32),
        "probability": tf.reduce_max(probabilities, axis=-1),
        "probabilities": probabilities,
    }


def _sentence(decoder: Any, r: tf.Tensor, max_length: int, vocabulary: int) -> dict[str, tf.Tensor]:
    # Changes nothing, but stands between the scales that standardize r and the kernel that reads it. The
    # converter would multiply the two, and 8 bits cannot hold the kernel's numbers of so different sizes.
    r = tf.maximum(r, -1e30)
    ids, log_probabilities = say(decoder, r, max_length, vocabulary)
    return {
        "token_ids": ids,
        "log_probabilities": log_probabilities,
        "log_probability": tf.reduce_sum(log_probabilities, axis=1),
    }


def say(decoder: Any, r: tf.Tensor, max_length: int, vocabulary: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Says the most probable word after each word, as `generation.generate` does greedily.

    That loop knows beams and constraints, and masks words with ops that a phone pays for at each word. This
    one is made of few ops, all of which LiteRT has and quantizes.

    Args:
        decoder: has `start` and `step`, such as a built `ExplanationDecoder`.
        r: float `(batch, width)`.
        max_length: the most ids a sentence may have, its end id included.
        vocabulary: number of ids.

    Returns:
        Ids, int32 `(batch, max_length)`, and the log-probability of each, float32 `(batch, max_length)`.
    """
    silent = silence(vocabulary)
    may_be_said = np.isfinite(silent).astype("float32")
    batch = r.shape[0] or tf.shape(r)[0]

    def unfinished(index, token, ended, *_):
        return tf.logical_and(index < max_length, tf.logical_not(tf.reduce_all(ended)))

    def say_one(index, token, ended, ids, log_probabilities, state):
        logits, state = decoder.step(token, state)
        token = tf.argmax(logits + silent, axis=-1, output_type=tf.int32)
        token = tf.where(ended, ExplanationTokenizer.pad_id, token)
        # Softmax has a fast kernel on every device, log-softmax has not.
        chosen = tf.math.log(tf.reduce_max(tf.nn.softmax(logits) * may_be_said, axis=-1))
        chosen = tf.where(ended, 0.0, chosen)
        here = tf.range(max_length) == index
        ids = tf.where(here, token[:, None], ids)
        log_probabilities = tf.where(here, chosen[:, None], log_probabilities)
        ended = ended | tf.equal(token, ExplanationTokenizer.end_id)
        return index + 1, token, ended, ids, log_probabilities, state

    loop = (
        0,
        tf.fill((batch,), ExplanationTokenizer.start_id),
        tf.fill((batch,), False),
        tf.fill((batch, max_length), ExplanationTokenizer.pad_id),
        tf.zeros((batch, max_length)),
        decoder.start(r),
    )
    _, _, _, ids, log_probabilities, _ = tf.while_loop(unfinished, say_one, loop)
    return ids, log_probabilities


def parts(
    model: ExplainingModel, max_length: int, fold: bool | None = None
) -> tuple[Callable[[Any], dict[str, tf.Tensor]], dict[str, Any]]:
    """Returns the same signatures cut in two: `introspect`, and what the others make of its outputs."""
    whole, decoder = signatures(model, max_length, fold), _decoder(model, fold)
    path, vocabulary = model.introspector.probabilities_path, model.tokenizer.vocabulary_size

    def introspect(x: Any) -> dict[str, tf.Tensor]:
        activations = whole["introspect"](x)
        if path not in activations:
            activations[path] = tf.cast(model.classifier(x, training=False), tf.float32)
        return activations

    def classify(**inputs: Any) -> dict[str, tf.Tensor]:
        return _classification(class_probabilities(model.classifier, inputs[path], model.output_kind))

    def explain(**inputs: Any) -> dict[str, tf.Tensor]:
        return {
            **classify(**inputs),
            **_sentence(decoder, model.standardize(inputs["r"]), max_length, vocabulary),
        }

    return introspect, {"explain": explain, "classify": classify}


def freeze(function: Callable[..., dict[str, tf.Tensor]], **specs: tf.TensorSpec) -> Any:
    """Returns the same function with its variables as constants.

    A LiteRT loop that reads variables converts without complaint and fails when it is called.

    Args:
        function: of tensors by name, giving tensors by name.
        **specs: shape and type of each tensor.
    """
    concrete = tf.function(function, autograph=False).get_concrete_function(**specs)
    graph = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    if kept := [tensor.name for tensor in graph.inputs if tensor.dtype == tf.resource]:
        raise ValueError(
            f"the classifier or decoder keeps what a LiteRT file cannot hold: {', '.join(kept)}; make "
            "what is no variable, such as a lookup table, a step before the classifier"
        )
    definition, names = graph.graph.as_graph_def(), sorted(concrete.structured_outputs)
    sources, results = [tensor.name for tensor in graph.inputs], [tensor.name for tensor in graph.outputs]

    def frozen(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        given = dict(zip(sources, (inputs[name] for name in sorted(inputs)), strict=True))
        outputs = tf.graph_util.import_graph_def(definition, given, results, name="")
        return dict(zip(names, outputs, strict=True))

    return tf.function(frozen, autograph=False).get_concrete_function(**specs)
