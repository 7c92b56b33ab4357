"""Writes a LiteRT (TensorFlow Lite) file that classifies and explains on a phone."""

from __future__ import annotations

import importlib.metadata
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import number_of_examples, read_arrays
from interpnet_tf.export import litert_graph, quality
from interpnet_tf.export.input_kind import check_samples, input_kind
from interpnet_tf.export.litert_file import LiteRTModel, check_ops, check_runs, least_runtime, ops, pack
from interpnet_tf.export.litert_link import link
from interpnet_tf.export.litert_refusals import check_convertible, refusing
from interpnet_tf.export.model_card import model_card
from interpnet_tf.export.signatures import input_specs, reads_files
from interpnet_tf.export.single_precision import in_float32
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.language.tokenizer import SPECIAL_TOKENS
from interpnet_tf.support.atomic import replacing, write_atomically
from interpnet_tf.support.errors import writing
from interpnet_tf.support.quiet import silenced_loggers, silenced_stderr

QUANTIZATIONS = (None, "dynamic", "float16", "int8")
_CALIBRATION_EXAMPLES = 100


def export_litert(
    model: ExplainingModel,
    path: str | os.PathLike,
    quantize: str | None = None,
    samples: Any = None,
    references: Sequence[Sequence[str]] | None = None,
    labels: Sequence[int] | None = None,
    *,
    overwrite: bool = False,
    name: str | None = None,
    max_length: int | None = None,
    batch_size: int | None = 1,
    fold: bool | None = None,
    least_identical: float = 0.9,
    most_lost: float = 1.0,
    input: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a model as one `.tflite` file, whole or not at all.

    The file needs LiteRT's built-in ops only. Its signatures `explain`, `classify` and `introspect` (see
    `litert_graph.signatures`) read `x`, float32 `(batch, ...)`: features, or pixels in 0..255 where the
    classifier reads pictures. Packed into the file, and beside it as text, are the vocabulary (line i is the
    word of id i), the class names and what has to be done to an input; beside it, too, a model card with
    what the conversion cost in quality.

    Args:
        model: the `InterpNet`.
        path: the file to write, such as `"birds.tflite"`.
        quantize: `None` keeps float32; `"float16"` halves the file; `"dynamic"` stores weights as 8-bit
            integers and multiplies in integers, a quarter of the file and the fastest; `"int8"` also computes
            the classifier in integers, with ranges found from `samples`, for devices that want it so.
        samples: held-out examples to compare the file with the Keras model on: what the classifier reads, or
            an `ExplanationDataset`, which brings `references` and `labels`.
        references: sentences that people wrote of each sample, for CIDEr-D.
        labels: the samples' true classes, for the accuracy.
        overwrite: whether an existing `path` is replaced.
        name: of the model, in its card; by default the file's.
        max_length: the most words of an explanation; by default the model's.
        batch_size: of the inputs; `None` takes any number at a time, slower one by one.
        fold: whether the decoder's weights are multiplied out, which says sentences faster and may need a
            larger file; `None` does so where it adds less than a tenth to them.
        least_identical: share of samples, 0..1, that must get the same sentence, or there is a warning.
        most_lost: by how much 100 times CIDEr-D and the accuracy in per cent may fall without a warning.
        input: `"picture"` for clients that read picture files, `"array"` for `x` just as the classifier reads
            it; by default the classifier decides (see `input_kind.input_kind`).
        details: further entries of the model card.

    Returns:
        The path.

    Raises:
        FileExistsError: if `path` exists and `overwrite` is not set.
        ValueError: if an argument is out of its range, or the model needs more than LiteRT's built-in ops.

    Example:

    ```python
    export_litert(model, "birds.tflite", quantize="dynamic", samples=valid)
    ```
    """
    path = Path(path)
    if isinstance(samples, ExplanationDataset):
        references, labels = samples.explanations, samples.labels
    max_length = model.max_length if max_length is None else max_length
    _check(path, quantize, samples, overwrite, max_length)
    model.decoder.check_length(max_length)
    check_convertible(model)
    samples = None if samples is None else read_arrays(samples, model.introspector.input, "samples")
    kind = input_kind(model.classifier, input)
    check_samples(samples, kind)
    files = _associated_files(model, max_length, kind)
    content = convert(model, quantize, samples, max_length, batch_size, fold)
    check_ops(content)
    check_runs(content, {spec.name: spec.shape[1:] for spec in input_specs(model)})
    card = model_card(model, name or path.stem, details)
    card["versions"]["ai-edge-litert"] = importlib.metadata.version("ai-edge-litert")
    card |= {
        "format": "litert",
        "input": kind,
        "max_length": max_length,
        "quantization": quantize or "none",
        "bytes": len(content),
        "operations": sorted(ops(content)),
        "least_runtime": least_runtime(content),
    }
    if samples is not None:
        card["quality"] = _quality(model, content, samples, references, labels, max_length)
        quality.warn_if_poor(card["quality"], least_identical, most_lost)
    card_text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    beside = {f"{path.stem}.{name}": text for name, text in {**files, "model_card.json": card_text}.items()}
    # The file appears last: it is complete in itself, and where it is, so is what belongs to it. It is
    # written first: where there is no space for it, nothing is left.
    with replacing(path) as temporary:
        temporary.write_bytes(pack(content, files))
        for file_name, text in beside.items():
            write_atomically(path.with_name(file_name), text)
    return path


def convert(
    model: ExplainingModel,
    quantize: str | None = None,
    samples: np.ndarray | None = None,
    max_length: int | None = None,
    batch_size: int | None = 1,
    fold: bool | None = None,
) -> bytes:
    """Returns the flatbuffer of `export_litert`; the arguments are the same."""
    check_convertible(model)
    with refusing(model):
        return _of_float32(in_float32(model), quantize, samples, max_length, batch_size, fold)


def _of_float32(
    model: ExplainingModel,
    quantize: str | None,
    samples: np.ndarray | None,
    max_length: int | None,
    batch_size: int | None,
    fold: bool | None,
) -> bytes:
    max_length = max_length or model.max_length
    inputs = {
        spec.name: tf.TensorSpec((batch_size, *spec.shape[1:]), tf.float32, name=spec.name)
        for spec in input_specs(model)
    }

    def by_name(body: Callable[[Any], dict[str, tf.Tensor]]) -> Callable[..., dict[str, tf.Tensor]]:
        pack = keras.tree.pack_sequence_as
        return lambda **named: body(pack(model.introspector.input, [named[name] for name in inputs]))

    if quantize != "int8":
        functions = litert_graph.signatures(model, max_length, fold)
        return _converted({name: (by_name(body), inputs) for name, body in functions.items()}, quantize)
    introspect, rest = litert_graph.parts(model, max_length, fold)
    named, introspect = _named(model, samples), by_name(introspect)
    calibration = [
        {name: np.asarray(part[row : row + 1], "float32") for name, part in named.items()}
        for row in range(min(_CALIBRATION_EXAMPLES, len(next(iter(named.values())))))
    ]
    first = _converted({"introspect": (introspect, inputs)}, "int8", calibration)
    outputs = tf.function(introspect).get_concrete_function(**inputs).structured_outputs
    path = model.introspector.probabilities_path
    specs = {name: tf.TensorSpec(outputs[name].shape, tf.float32, name=name) for name in ("r", path)}
    of_part = {"explain": specs, "classify": {path: specs[path]}}
    return link(first, _converted({name: (body, of_part[name]) for name, body in rest.items()}, "dynamic"))


def _converted(
    functions: Mapping[str, tuple[Callable[..., dict[str, tf.Tensor]], Mapping[str, tf.TensorSpec]]],
    quantize: str | None,
    calibration: Sequence[Mapping[str, np.ndarray]] = (),
) -> bytes:
    """Converts functions, each with the specs of its inputs, into a model with a signature for each."""
    module = tf.Module()
    with tempfile.TemporaryDirectory() as folder, silenced_loggers(), silenced_stderr():
        module.frozen = {
            name: litert_graph.freeze(body, **specs) for name, (body, specs) in functions.items()
        }
        # Nothing trains from here on, and the gradients of swish and its like do not survive freezing.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        with writing(folder):
            tf.saved_model.save(module, folder, signatures=dict(module.frozen), options=options)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(functions))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            name = next(iter(functions))
            converter.representative_dataset = lambda: ((name, example) for example in calibration)
        return bytes(converter.convert())


def _associated_files(model: ExplainingModel, max_length: int, kind: str) -> dict[str, str]:
    words, names = [*SPECIAL_TOKENS, *model.tokenizer.vocabulary], model.class_names
    if broken := [text for text in [*words, *names] if len(text.splitlines()) != 1]:
        raise ValueError(f"words and class names must be single lines to be packed, got {broken[:3]}")
    shapes = {spec.name: [int(size) for size in spec.shape[1:]] for spec in input_specs(model)}
    preprocessing: dict[str, Any] = {"dtype": "float32", "max_length": max_length}
    if "x" not in shapes:
        preprocessing |= {"kind": "columns", "inputs": shapes}
    else:
        preprocessing["shape"] = shapes["x"]
    if reads_files(model, kind):
        preprocessing |= {
            "kind": "picture",
            "channels": "RGB",
            "range": [0, 255],
            "resize": "turn upright (EXIF), scale the short side to the size, crop the centre; bicubic",
        }
    elif "x" in shapes:
        preprocessing["kind"] = "features" if len(shapes["x"]) == 1 else "array"
    return {
        "vocabulary.txt": "".join(f"{word}\n" for word in words),
        "labels.txt": "".join(f"{name}\n" for name in names),
        "preprocessing.json": json.dumps(preprocessing, indent=1) + "\n",
    }


def _named(model: ExplainingModel, samples: Any) -> dict[str, np.ndarray]:
    """Returns samples by the names of the inputs that read them."""
    names = [spec.name for spec in input_specs(model)]
    return dict(zip(names, keras.tree.flatten(samples), strict=True))


def _quality(
    model: ExplainingModel,
    content: bytes,
    samples: np.ndarray,
    references: Sequence[Sequence[str]] | None,
    labels: Sequence[int] | None,
    max_length: int,
) -> dict[str, Any]:
    explanations = model.explain(samples, max_length=max_length)
    converted = LiteRTModel(content)("explain", _named(model, samples))
    return quality.compare(
        [explanation.text for explanation in explanations],
        [explanation.class_id for explanation in explanations],
        model.tokenizer.detokenize(converted["token_ids"]),
        converted["class_id"],
        references,
        labels,
    )


def _check(path: Path, quantize: str | None, samples: Any, overwrite: bool, max_length: int) -> None:
    if quantize not in QUANTIZATIONS:
        raise ValueError(f"quantize must be one of {list(QUANTIZATIONS)}, got {quantize!r}")
    if path.suffix != ".tflite":
        raise ValueError(f"path must end in .tflite, got {str(path)!r}")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists; choose another name, or replace it with overwrite=True (--overwrite)"
        )
    if quantize == "int8" and (samples is None or not number_of_examples(read_arrays(samples))):
        raise ValueError("quantize='int8' needs samples, from which the ranges of the activations are found")
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1, got {max_length}")
