"""Reading a classifier's graph: which layers it has and what they compute."""

from __future__ import annotations

import collections
import dataclasses
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from interpnet_tf.introspection.classifier_parts import check_stateless
from interpnet_tf.introspection.step_masks import StepMasks


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of a layer within a model: the layer, the tensors that enter and those that leave."""

    layer: keras.Operation
    inputs: list[keras.KerasTensor]
    outputs: list[keras.KerasTensor]


@dataclasses.dataclass(frozen=True)
class Trace:
    """A model's graph, replayed on its own inputs.

    Attributes:
        inputs: the model's inputs by name.
        output: the model's output.
        activations: the asked-for activations by path.
        masks: of those activations that are sequences with known padding, `(batch, steps)` by path.
        calls: every call of a layer, each after those it depends on.
    """

    inputs: dict[str, keras.KerasTensor]
    output: keras.KerasTensor
    activations: dict[str, keras.KerasTensor]
    masks: dict[str, keras.KerasTensor]
    calls: list[Call]


def is_graph(model: Any) -> bool:
    """Whether `model` is a functional model or a built Sequential one, so that its layers can be read.

    One whose class has a `call` of its own is none: what it computes is not what its graph says.
    """
    if not isinstance(model, keras.Model) or has_own_call(model):
        return False
    if isinstance(model, keras.Sequential):
        return model.built and bool(getattr(model, "inputs", None))
    return isinstance(model, keras.Function)


def has_own_call(layer: keras.Layer) -> bool:
    """Whether the `call` of `layer` was written outside of Keras and its companion KerasHub."""
    for kind in type(layer).__mro__:
        if "call" in vars(kind):
            return kind.__module__.split(".")[0] not in ("keras", "keras_hub", "keras_nlp")
    return False


def check_classifier(classifier: Any) -> None:
    """Raises a `ValueError` unless `classifier` is a graph of layers with one output tensor."""
    kind = type(classifier).__name__
    if not is_graph(classifier):
        if isinstance(classifier, keras.Function | keras.Sequential) and has_own_call(classifier):
            advice = (
                "its class has its own call(), which its graph of layers does not show: put what call() adds "
                "into layers, or, if it adds nothing, pass keras.Model(classifier.inputs, classifier.outputs)"
            )
        elif isinstance(classifier, keras.Sequential):
            advice = "it is not built: start it with keras.Input(shape) or call classifier.build(shape)"
        elif isinstance(classifier, keras.Model):
            advice = "a subclassed model has no graph to read: build it with the functional API"
        else:
            advice = "pass a keras.Model"
        raise ValueError(
            f"`classifier` must be a functional or built Sequential model, got a {kind}; {advice}"
        )
    check_stateless(classifier)
    if len(classifier.outputs) != 1:
        raise ValueError(
            f"`classifier` must have one output, the class probabilities, but {classifier.name!r} has "
            f"{len(classifier.outputs)}: {[output.name for output in classifier.outputs]}; pass "
            "keras.Model(classifier.inputs, the_one_that_classifies)"
        )


def activation_paths(model: keras.Model, prefix: str = "") -> Iterator[str]:
    """Yields the paths of the layers and inputs that give one float tensor, also inside nested models."""
    for operation in _functional(model).operations:
        path = prefix + operation.name
        if _why_not_float(operation) is None:
            yield path
        if is_graph(operation):
            yield from activation_paths(operation, f"{path}/")


def check_path(classifier: keras.Model, path: Any, argument: str = "layers") -> None:
    """Raises a `ValueError`, with the choices in it, unless `path` names an activation of `classifier`.

    Args:
        classifier: a model for which `is_graph` holds.
        path: what the user gave.
        argument: the name of what holds it, for the message.
    """
    choices = list(activation_paths(classifier))
    if path in choices:
        return
    model, problem = classifier, None
    for name in str(path).split("/"):
        operations = (
            {operation.name: operation for operation in _functional(model).operations} if model else {}
        )
        if name not in operations:
            problem = "there is no such layer"
            break
        problem = _why_not_float(operations[name])
        model = operations[name] if is_graph(operations[name]) else None
    close = difflib.get_close_matches(str(path), choices, n=5, cutoff=0.5)
    others = [choice for choice in choices if choice not in close]
    raise ValueError(
        f"`{argument}` names {path!r}, but {problem} in {classifier.name!r}. "
        + (f"Did you mean {close}? " if close else "")
        + f"Layers to choose from: {close + others}"
    )


def trace(
    model: keras.Model, paths: Iterable[str] = (), behind: Mapping[str, keras.layers.Layer] | None = None
) -> Trace:
    """Replays a model's graph and keeps the activations that `paths` name.

    The layers are the model's own, called once more, so that their weights are shared. A nested model is
    replaced by one that also returns what is wanted of its inside.

    Args:
        model: a model for which `is_graph` holds.
        paths: layer and input names; "nested/layer" reaches inside the model that is called "nested".
        behind: layers to put behind activations, by path: what they give of an activation stands in its
            place, for everything that reads it. They must keep its shape and type.

    Returns:
        A `Trace`. A layer that the model calls several times stands with its last call; what `behind` holds
        for it is put behind the last call alone.
    """
    functional, behind = _functional(model), behind or {}
    inputs = {op.name: op.output for op in functional.operations if isinstance(op, keras.layers.InputLayer)}
    inner_paths = _by_nested_model(paths)
    inner_behind = {
        name: {inner: behind[f"{name}/{inner}"] for inner in of_one}
        for name, of_one in _by_nested_model(behind).items()
    }
    calls_left = collections.Counter(
        node.operation.name for nodes in functional._nodes_by_depth.values() for node in nodes
    )
    read_as = {id(tensor): behind[name](tensor) for name, tensor in inputs.items() if name in behind}
    opened: dict[tuple[str, bool], _Opened] = {}
    activations: dict[str, Any] = {name: read_as.get(id(tensor), tensor) for name, tensor in inputs.items()}
    masks: dict[str, Any] = {}
    step_masks = StepMasks()
    calls: list[Call] = []

    def as_read(tensors: Any) -> Any:
        return keras.tree.map_structure(lambda tensor: read_as.get(id(tensor), tensor), tensors)

    def call(layer: keras.Operation, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = as_read((args, kwargs))
        calls_left[layer.name] -= 1
        is_last = calls_left[layer.name] == 0
        wanted = inner_paths.get(layer.name, [])
        inserted = inner_behind.get(layer.name, {}) if is_last else {}
        if wanted or inserted:
            key = layer.name, bool(inserted)
            if key not in opened:
                opened[key] = _open(layer, wanted, inserted)
            nested, masked = opened[key]
            outputs, inside, inside_masks = nested(*args, **kwargs)
            activations.update(zip((f"{layer.name}/{inner}" for inner in wanted), inside, strict=True))
            masks.update(zip((f"{layer.name}/{inner}" for inner in masked), inside_masks, strict=True))
        else:
            outputs = layer(*args, **kwargs)
        if is_last and layer.name in behind:
            outputs = keras.tree.map_structure(behind[layer.name], outputs)
        flat_outputs = keras.tree.flatten(outputs)
        activations[layer.name] = flat_outputs[0]
        tensors = [x for x in keras.tree.flatten((args, kwargs)) if isinstance(x, keras.KerasTensor)]
        calls.append(Call(layer, tensors, flat_outputs))
        step_masks.add(layer, args, kwargs, flat_outputs)
        return outputs

    clone = keras.models.clone_model(
        functional, input_tensors=functional.input, clone_function=lambda layer: layer, call_function=call
    )
    step_masks.settle()
    masks |= {path: step_masks.of(activations[path]) for path in paths if path not in masks}
    masks = {path: mask for path, mask in masks.items() if mask is not None}
    return Trace(inputs, as_read(clone.output), {path: activations[path] for path in paths}, masks, calls)


def output_path(graph: Trace) -> str:
    """Returns the path of the layer that gives a model's output, its class probabilities."""
    return path_of(graph, keras.tree.flatten(graph.output)[0])


def _functional(model: keras.Model) -> keras.Model:
    """Returns the graph of `model` as a plain functional model, without its class and its compilation."""
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return keras.Model(model.input, model.output, name=model.name)


class _Opened(NamedTuple):
    """A nested model with the outputs `[its own outputs, [activations], [masks]]`, and the masks' paths."""

    model: keras.Model
    masked: list[str]


def _by_nested_model(paths: Iterable[str]) -> dict[str, list[str]]:
    """Returns the paths that lead into nested models, by the model's name and without it."""
    inner_paths: dict[str, list[str]] = {}
    for path in paths:
        name, _, inner = path.partition("/")
        if inner:
            inner_paths.setdefault(name, []).append(inner)
    return inner_paths


def _open(model: keras.Model, paths: Sequence[str], behind: Mapping[str, keras.layers.Layer]) -> _Opened:
    graph = trace(model, paths, behind)
    outputs = [graph.output, list(graph.activations.values()), list(graph.masks.values())]
    name = f"{model.name}_with_insertions" if behind else model.name  # where both are called, two names
    return _Opened(keras.Model(_functional(model).input, outputs, name=name), list(graph.masks))


def _why_not_float(operation: keras.Operation) -> str | None:
    """Says what keeps the output of `operation` from being an activation; `None` if nothing does."""
    outputs = keras.tree.flatten(operation.output)
    if len(outputs) != 1:
        return f"{operation.name!r} gives {len(outputs)} outputs, not one tensor,"
    if not keras.backend.is_float_dtype(outputs[0].dtype):
        return f"{operation.name!r} gives {outputs[0].dtype}, not floats,"
    return None


def path_of(graph: Trace, tensor: keras.KerasTensor) -> str:
    """Returns the path of the layer or input that `tensor` comes from."""
    for name, symbolic_input in graph.inputs.items():
        if symbolic_input is tensor:
            return name
    for call in graph.calls:
        for index, output in enumerate(call.outputs):
            if output is tensor:
                if len(call.outputs) == 1 or not is_graph(call.layer):
                    return call.layer.name
                inside = trace(call.layer)
                return f"{call.layer.name}/{path_of(inside, keras.tree.flatten(inside.output)[index])}"
    raise ValueError(f"tensor {tensor.name!r} is not part of the graph")
