"""What an exported model can be asked: functions from a batch of inputs to named tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from interpnet_tf.export.image_bytes import decode_images
from interpnet_tf.generation.decoding import GREEDY, Decoding
from interpnet_tf.generation.explaining import explain_batch
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.introspection.number_column import may_be_missing
from interpnet_tf.introspection.probabilities import class_probabilities
from interpnet_tf.language.tokenizer import SPECIAL_TOKENS

# Greedy and beam search draw nothing.
_NO_SEED = (0, 0)

# The score of a sentence that beam search did not find: JSON has no infinity.
_NO_SCORE = tf.float32.min


def classify(model: ExplainingModel, x: Any) -> dict[str, tf.Tensor]:
    """Returns the class of each example, without saying why.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads, `(batch, ...)`.

    Returns:
        `"label"`, string `(batch,)`; `"class_id"`, int32 `(batch,)`; `"probability"`, float32 `(batch,)`;
        `"probabilities"` of all classes, float32 `(batch, classes)`.
    """
    scores = model.classifier(x, training=False)
    probabilities = class_probabilities(model.classifier, scores, model.output_kind)
    return {**_best_class(model, probabilities), "probabilities": probabilities}


def introspect(model: ExplainingModel, x: Any) -> dict[str, tf.Tensor]:
    """Returns the activation of each layer that r(x) is made of, by the layer's path, and `"r"`; float32."""
    return {name: tf.cast(part, tf.float32) for name, part in model.introspector(x, training=False).items()}


def explain(model: ExplainingModel, x: Any, folded: Mapping[str, Any] | None = None) -> dict[str, tf.Tensor]:
    """Classifies each example and says why, greedily.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads, `(batch, ...)`.
        folded: what `model.decoder.fold()` returned.

    Returns:
        `"label"`, `"class_id"`, `"probability"` as `classify`; `"explanation"`, string `(batch,)`;
        `"log_probability"` of the sentence, its end included, float32 `(batch,)`; `"token_ids"`, int32
        `(batch, max_length)`: the words, the end id, padding 0; `"words"`, string, and
        `"log_probabilities"`, float32, of the same shape: each id's word, "" for the end and padding, and its
        log-probability.
    """
    explained = explain_batch(model, x, _NO_SEED, folded, max_length=model.max_length, decoding=GREEDY)
    ids, log_probabilities = explained.ids[:, 0], explained.log_probabilities[:, 0]
    return {
        **_best_class(model, explained.probabilities),
        "explanation": explained.texts[:, 0],
        "log_probability": tf.reduce_sum(log_probabilities, axis=1),
        "token_ids": ids,
        "words": _words(model, ids),
        "log_probabilities": log_probabilities,
    }


def explain_top(
    model: ExplainingModel, x: Any, beams: int, n_best: int, folded: Mapping[str, Any] | None = None
) -> dict[str, tf.Tensor]:
    """Classifies each example and gives the best explanations that beam search finds.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads, `(batch, ...)`.
        beams: of beam search.
        n_best: explanations an example.
        folded: what `model.decoder.fold()` returned.

    Returns:
        `"label"`, `"class_id"`, `"probability"` as `classify`; `"explanations"`, string `(batch, n_best)`,
        the better first, "" where there are not so many; `"scores"`, float32 `(batch, n_best)`;
        `"token_ids"`, int32 `(batch, n_best, max_length)`.
    """
    decoding = Decoding("beam", beams=beams, n_best=n_best)
    explained = explain_batch(model, x, _NO_SEED, folded, max_length=model.max_length, decoding=decoding)
    found = tf.math.is_finite(explained.scores)
    return {
        **_best_class(model, explained.probabilities),
        "explanations": tf.where(found, explained.texts, ""),
        "scores": tf.where(found, explained.scores, _NO_SCORE),
        "token_ids": tf.where(found[..., None], explained.ids, model.tokenizer.pad_id),
    }


def concrete_functions(
    model: ExplainingModel,
    folded: Mapping[str, tf.Variable],
    beams: int = 5,
    n_best: int = 5,
    kind: str = "array",
) -> dict[str, tf.types.experimental.ConcreteFunction]:
    """Traces the signatures of a servable, for batches of any size.

    Args:
        model: the `InterpNet`.
        folded: variables that hold what `model.decoder.fold()` returned; the functions read them, but do not
            keep them alive.
        beams: of `"explain_top"`.
        n_best: of `"explain_top"`.
        kind: of the input; see `input_kind.input_kind`.

    Returns:
        `"serving_default"` (see `explain`), `"classify"`, `"introspect"` and `"explain_top"`, whose inputs
        are those of `input_specs`; and, where that is square RGB pictures, `"serving_bytes"`, whose input
        `image_bytes`, string `(batch,)`, holds picture files (see `support.picture_file`) and whose outputs
        are those of `"serving_default"`.
    """
    specs, inputs = input_specs(model, kind), model.classifier.inputs
    missing = may_be_missing(model.classifier)

    def prepared(*arrays: tf.Tensor) -> Any:
        read = map(_checked, arrays, specs, missing)
        read = [tf.cast(part, one.dtype) for part, one in zip(read, inputs, strict=True)]
        return keras.tree.pack_sequence_as(model.introspector.input, read)

    bodies = {
        "serving_default": lambda x: explain(model, x, read_folded()),
        "classify": lambda x: classify(model, x),
        "introspect": lambda x: introspect(model, x),
        "explain_top": lambda x: explain_top(model, x, beams, n_best, read_folded()),
    }

    def read_folded() -> dict[str, tf.Tensor]:  # once a request, not once a word
        return {name: tf.convert_to_tensor(variable) for name, variable in folded.items()}

    def of_arrays(body: Callable) -> Callable:
        return lambda *arrays: body(prepared(*arrays))

    def of_files(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return functions["serving_default"](decode_images(image_bytes, specs[0].shape[1]))

    functions = {
        name: tf.function(of_arrays(body)).get_concrete_function(*specs) for name, body in bodies.items()
    }
    if reads_files(model, kind):
        files = tf.TensorSpec((None,), tf.string, name="image_bytes")
        functions["serving_bytes"] = tf.function(of_files).get_concrete_function(files)
    return functions


def input_specs(model: ExplainingModel, kind: str = "array") -> list[tf.TensorSpec]:
    """Returns name, type and shape of each input: what the classifier reads, or uint8 for pictures.

    A single array is called `x`; several inputs, or the columns of a table, have their own names. Sizes that
    the classifier leaves open, such as the length of a text, are open here, too.
    """
    classifier = model.classifier
    is_named = len(classifier.inputs) > 1 or isinstance(model.introspector.input, Mapping)
    return [
        tf.TensorSpec(
            (None, *tensor.shape[1:]),
            tf.uint8 if kind == "picture" else tensor.dtype,
            name=tensor.name if is_named else "x",
        )
        for tensor in classifier.inputs
    ]


def reads_files(model: ExplainingModel, kind: str) -> bool:
    """Whether the input is a picture as `data.images.read_image` makes it of a file: square, RGB."""
    shape = input_specs(model)[0].shape
    return kind == "picture" and shape[1] == shape[2] is not None and shape[3] == 3


def _checked(x: tf.Tensor, spec: tf.TensorSpec, may_be_missing: bool) -> tf.Tensor:
    """Returns an input; when the graph runs, it refuses another shape and numbers that are not finite."""
    x = tf.ensure_shape(x, spec.shape)  # its message names both shapes
    if not spec.dtype.is_floating:
        return x
    known = tf.where(tf.math.is_nan(x), tf.zeros_like(x), x) if may_be_missing else x
    known = tf.debugging.check_numerics(known, f"{spec.name} must hold finite numbers only")
    with tf.control_dependencies([known]):
        return tf.identity(x) if may_be_missing else known


def _best_class(model: ExplainingModel, probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
    class_id = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
    return {
        "label": tf.gather(tf.constant(model.class_names), class_id),
        "class_id": class_id,
        "probability": tf.gather(probabilities, class_id, axis=1, batch_dims=1),
    }


def _words(model: ExplainingModel, ids: tf.Tensor) -> tf.Tensor:
    """Returns the word of each id, "" for special ids; a table would be state to be tracked."""
    return tf.gather(tf.constant([*("" for _ in SPECIAL_TOKENS), *model.tokenizer.vocabulary]), ids)
