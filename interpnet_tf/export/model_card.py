"""The model card: what an exported model is, for programs to read."""

from __future__ import annotations

import datetime
import importlib.metadata
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

import interpnet_tf
from interpnet_tf.generation.explaining_model import ExplainingModel

FILE_NAME = "model_card.json"


def model_card(model: ExplainingModel, name: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Describes a model whatever it is exported to.

    Args:
        model: the `InterpNet`.
        name: under which it is served.
        details: further entries of the card, such as `{"training": …, "metrics": …}`; `"sentences"` tells
            where those that it learnt from come from, if not from people.

    Returns:
        A record ready for JSON.
    """
    decoder = model.decoder.get_config()
    made = (details or {}).get("sentences")
    sentences = f"sentences that were made of a table ({made})" if made else "people's sentences"
    return {
        "name": name,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "task": "classifies, and explains the class in a sentence made from the classifier's activations",
        "reference": "Barratt 2017, InterpNET, https://arxiv.org/abs/1710.09511",
        "limits": [
            f"Explanations are guesses, learnt from {sentences}: they may name what is not there.",
            "Inputs unlike the training data get a class and an explanation all the same.",
        ],
        "versions": {
            "interpnet_tf": interpnet_tf.__version__,
            **{package: importlib.metadata.version(package) for package in ("keras", "tensorflow")},
        },
        "classifier": {"name": model.classifier.name, "parameters": model.classifier.count_params()},
        "layers": {path: [part.start, part.stop] for path, part in model.introspector.slices.items()},
        "decoder": {
            "class": type(model.decoder).__name__,
            "parameters": model.decoder.count_params(),
            **{key: value for key, value in decoder.items() if isinstance(value, int | float | None)},
        },
        "class_names": model.class_names,
        "vocabulary_size": model.tokenizer.vocabulary_size,
        "max_length": model.max_length,
        **(details or {}),
    }


def describe_signatures(
    signatures: Mapping[str, tf.types.experimental.ConcreteFunction],
) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Returns type and shape of every input and output of each signature; -1 is the size of the batch."""

    def described(spec: Any) -> dict[str, Any]:
        return {"dtype": spec.dtype.name, "shape": [-1 if n is None else n for n in spec.shape]}

    return {
        name: {
            "inputs": {spec.name: described(spec) for spec in function.structured_input_signature[0]},
            "outputs": {key: described(spec) for key, spec in sorted(function.structured_outputs.items())},
        }
        for name, function in signatures.items()
    }
