"""`attribute_decision`: how much each layer of the classifier contributed to its decision."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.attribution.coalitions import ablation_design, shapley_design
from interpnet_tf.attribution.decision_attribution import DecisionAttribution
from interpnet_tf.attribution.heat_maps import channels_axis, layers_of_maps
from interpnet_tf.attribution.options import check_options, read_baseline
from interpnet_tf.attribution.quadrature import path_points
from interpnet_tf.data.inputs import batch_of, inputs_of
from interpnet_tf.generation.asked_class import class_numbers
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.introspection.introspector import Introspector
from interpnet_tf.introspection.probabilities import class_probabilities

DECISION_METHODS = ("integrated_gradients", "layer_ablation", "shapley")


def attribute_decision(
    model: ExplainingModel,
    x: Any,
    class_id: Any = None,
    method: str = "integrated_gradients",
    baseline: Any = "mean",
    steps: int = 64,
    batch_size: int = 256,
    seed: int | None = None,
) -> list[DecisionAttribution]:
    """Returns how much each layer of r(x) contributed to the log-probability of a class.

    The counterpart of `attribute` in the same units, numbers of r and nats, so that a word and the decision
    can be compared. Each layer's activation is moved from its baseline to what it is, with all that lies
    behind the layer computed anew and all before it left as it is: a layer's scores are complete on their
    own, and add up to the class's log-probability minus that with this layer at its baseline.

    Log-probability rather than the margin of the logits: it is there for every classifier, also where logits
    are not, and is what is taken of words. Where the class is certain it hardly changes near x; the path from
    the baseline leads through where it does.

    A layer that comes from maps is moved as a map, from one that has the baseline's number of each channel
    at every position.

    Args:
        model: an `InterpNet`.
        x: what its classifier reads, an `ExplanationDataset`, or a `tf.data.Dataset` of batches.
        class_id: a class, by its number or name, or one for each example; `None` is the predicted one.
        method: `"integrated_gradients"`, of every number of r; `"layer_ablation"`, of layers; or `"shapley"`,
            of layers that are added one after another, where those that are not added stand at their
            baselines, and those that are added are computed.
        baseline: as in `attribute`.
        steps: points of the path of integrated gradients; random orders of Shapley values from 9 layers on.
        batch_size: changed copies of examples that the classifier reads at a time.
        seed: of the random orders, from 0; `None` draws anew.

    Returns:
        A `DecisionAttribution` for each example.

    Raises:
        ValueError: if an argument is out of its range, or a layer's pooling mixes the channels of its maps
            and the baseline is not `"zeros"`.

    Example:

    ```python
    decision = attribute_decision(model, images[:1])[0]
    word = attribute(model, images[:1])[0].units[2]
    cosine = word @ decision.units / (np.linalg.norm(word) * np.linalg.norm(decision.units))
    ```
    """
    check_options(DECISION_METHODS, method, steps, batch_size, seed)
    x = inputs_of(x)
    r = model.introspect(x, batch_size)
    x = batch_of(x, model.introspector.input)
    blocks = read_baseline(model, baseline, len(r))
    _check_baseline(model.introspector, blocks)
    class_ids = _classes(model, x, class_id, len(r), batch_size)
    layers = len(model.introspector.layer_paths)
    coefficients = None
    if method == "shapley":
        kept, coefficients = shapley_design(layers, steps, seed)
    else:  # as it is, and each layer alone at its baseline
        kept = ablation_design(layers)
    worths = _worths(model, x, class_ids, kept, blocks, batch_size)
    by_layer = [{} for _ in class_ids]
    if method == "integrated_gradients":
        by_layer = _contributions(model, x, class_ids, blocks, steps, batch_size)
    return [
        _record(model, int(class_ids[place]), method, worths[place], coefficients, by_layer[place])
        for place in range(len(class_ids))
    ]


def _record(
    model: ExplainingModel,
    class_id: int,
    method: str,
    worths: np.ndarray,
    coefficients: np.ndarray | None,
    by_layer: dict[str, tuple[np.ndarray, np.ndarray]],
) -> DecisionAttribution:
    introspector = model.introspector
    layers, units, maps = introspector.layer_paths, None, {}
    if coefficients is not None:
        scores, log_probability, of_baselines = (
            coefficients.T @ worths,
            worths[-1],
            np.full(len(layers), worths[0]),
        )
    else:
        log_probability, of_baselines = worths[0], worths[1:]
        scores = log_probability - of_baselines
    if by_layer:
        scores = np.array([by_layer[path][0].sum() for path in layers])
        units = np.full(introspector.width, np.nan, "float32")
        for path, part in introspector.slices.items():
            if part.stop - part.start == len(by_layer[path][1]):
                units[part] = by_layer[path][1]
        maps = {path: by_layer[path][0] for path in layers_of_maps(introspector)}
    return DecisionAttribution(
        label=model.class_names[class_id],
        class_id=class_id,
        layers=layers,
        scores=scores.astype("float32"),
        log_probability=float(log_probability),
        baseline_log_probabilities=of_baselines.astype("float32"),
        method=method,
        units=units,
        slices=introspector.slices,
        heat_maps=maps,
    )


def _check_baseline(introspector: Introspector, blocks: np.ndarray) -> None:
    for path in layers_of_maps(introspector):
        channels = introspector.output[path].shape[channels_axis(introspector, path)]
        block = blocks[:, introspector.slices[path]]
        if block.shape[1] != channels and block.any():
            raise ValueError(
                f"baseline tells {block.shape[1]} pooled numbers of {path!r}, from which its {channels} "
                "channels cannot be told; use baseline='zeros' for the decision, or pooling='average'"
            )


def _classes(model: ExplainingModel, x: Any, class_id: Any, examples: int, batch_size: int) -> np.ndarray:
    if class_id is None:
        outputs = [model.classifier(part, training=False) for part in _parts(x, examples, batch_size)]
        rows = [class_probabilities(model.classifier, part, model.output_kind).numpy() for part in outputs]
        nothing = np.zeros((0, len(model.class_names)))
        return np.concatenate([nothing, *rows]).argmax(axis=1).astype("int32")
    asked = class_numbers(model, class_id)
    if asked.ndim and len(asked) != examples:
        raise ValueError(f"class_id names {len(asked)} classes for {examples} examples")
    return np.broadcast_to(asked, (examples,))


def _parts(x: Any, examples: int, size: int) -> list[Any]:
    return [
        keras.tree.map_structure(lambda part, begin=begin: part[begin : begin + size], x)
        for begin in range(0, examples, size)
    ]


def _worths(
    model: ExplainingModel,
    x: Any,
    class_ids: np.ndarray,
    kept: np.ndarray,
    blocks: np.ndarray,
    batch_size: int,
) -> np.ndarray:
    """Returns log-probabilities, `(examples, variants)`; `kept` is bool `(variants, layers)`."""
    variants, result = len(kept), []
    for place in range(0, len(class_ids) * variants, batch_size):
        rows = np.arange(place, min(place + batch_size, len(class_ids) * variants))
        owners = rows // variants
        part = keras.tree.map_structure(lambda part, of=owners: tf.gather(part, of), x)
        examples = (part, class_ids[owners], kept[rows % variants], blocks[owners])
        result.append(model._decide(keras.tree.map_structure(tf.convert_to_tensor, examples)).numpy())
    return np.concatenate([np.zeros(0, "float32"), *result]).reshape(-1, variants)


def _contributions(
    model: ExplainingModel, x: Any, class_ids: np.ndarray, blocks: np.ndarray, steps: int, batch_size: int
) -> list[dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Returns for each example, by layer, the contributions by position and by channel."""
    points, weights = (tf.constant(part) for part in path_points(steps))
    result: list[dict[str, tuple[np.ndarray, np.ndarray]]] = [{} for _ in class_ids]
    size = max(1, batch_size // steps)
    for place in range(0, len(class_ids), size):
        rows = slice(place, place + size)
        part = keras.tree.map_structure(lambda part, of=rows: part[of], x)
        examples = (part, tf.constant(class_ids[rows]), tf.constant(blocks[rows]))
        for path in model.introspector.layer_paths:
            found = model._decision_gradients(examples, points, weights, path=path)
            for offset, of_one in enumerate(zip(*(one.numpy() for one in found), strict=True)):
                result[place + offset][path] = of_one
    return result
