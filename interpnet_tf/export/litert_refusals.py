"""Why a model cannot become a LiteRT file, in one sentence that says what to do."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import keras
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from interpnet_tf.export.signatures import input_specs
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.introspection.classifier_parts import all_layers, lookup_tables

_INSTEAD = "or export a SavedModel (format='savedmodel'), which runs it as it is"
# A complaint of the converter: the name that an operation has in the graph, then what is wrong with it.
_COMPLAINT = re.compile(r'error: loc\((?:callsite\()*fused\["\w+:", "([^"@]+)@[^\n]*?\)\): ([^\n]+)')
_MISSING = re.compile(r"'tf\.(\w+)' op is neither")


def check_convertible(model: ExplainingModel) -> None:
    """Raises a `ValueError` if a classifier reads or keeps what no LiteRT file can hold."""
    specs, classifier = input_specs(model), model.classifier
    if any(spec.dtype == tf.string for spec in specs):
        raise ValueError(
            f"a LiteRT file reads numbers, but the classifier {classifier.name!r} reads strings: build the "
            "explainer on the part behind the layer that makes numbers of them, and do its work in the app, "
            f"{_INSTEAD}"
        )
    if with_tables := [layer.name for layer in classifier.layers if lookup_tables(layer)]:
        raise ValueError(
            f"a LiteRT file holds no lookup tables, as {_layers(with_tables)} of the classifier "
            f"{classifier.name!r} needs: build the explainer on the part behind it, and look up in the app, "
            f"{_INSTEAD}"
        )
    if open_sizes := [str(spec.shape) for spec in specs if None in spec.shape[1:]]:
        raise ValueError(
            f"a LiteRT file has inputs of one size, but the classifier {classifier.name!r} reads "
            f"{', '.join(open_sizes)}: build it with a fixed keras.Input shape and the same weights, "
            f"{_INSTEAD}"
        )
    if any(getattr(layer.dtype_policy, "quantization_mode", None) for layer in all_layers(classifier)):
        raise ValueError(
            "LiteRT does not read the integers that Keras' quantize() makes, as in the classifier "
            f"{classifier.name!r}: build the explainer on the classifier as it was before, and quantize the "
            f"file (quantize='dynamic' or 'int8'), {_INSTEAD}"
        )


@contextlib.contextmanager
def refusing(model: ExplainingModel) -> Iterator[None]:
    """Turns the converter's complaints about a model into a `ValueError` that names the layers."""
    try:
        yield
    except ConverterError as error:
        names = {layer.name for layer in all_layers(model) if not isinstance(layer, keras.Model)}
        raise ValueError(_sentence(str(error), names)) from error


def _sentence(complaint: str, names: set[str]) -> str:
    operations, layers, others = set(), set(), []
    for scope, reason in _COMPLAINT.findall(complaint):
        missing = _MISSING.search(reason)
        operations |= {missing[1]} if missing else set()
        others += [] if missing else [reason]
        layers |= {_layer_of(scope, names)} - {None}
    if operations:
        what = f"LiteRT has no op {', '.join(sorted(operations))}"
    else:
        what = f"LiteRT's converter refuses the model ({(others or complaint.splitlines() or [''])[0]})"
    where = f", which {_layers(sorted(layers))} of the model needs" if layers else ""
    return f"{what}{where}; write that part with other layers, {_INSTEAD}"


def _layers(names: list[str]) -> str:
    return ("layer " if len(names) == 1 else "each of the layers ") + ", ".join(map(repr, names))


def _layer_of(scope: str, names: set[str]) -> str | None:
    """Returns the innermost layer in an operation's name, whose parts end in numbers of TensorFlow's own."""
    found = None
    for part in scope.split("/")[:-1]:
        for name in (part, re.sub(r"_\d+$", "", part)):
            if name in names:
                found = name
    return found
