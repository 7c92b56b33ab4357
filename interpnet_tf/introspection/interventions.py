"""Interventions: what a classifier computes when some of its activations are replaced."""

from __future__ import annotations

import contextvars
import dataclasses
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

import keras
import tensorflow as tf

from interpnet_tf.introspection.cutting import cut
from interpnet_tf.introspection.graph import check_path, trace
from interpnet_tf.introspection.number_column import may_be_missing


@dataclasses.dataclass(frozen=True)
class _Run:
    """One run of a classifier: what is replaced in it, and what went wrong."""

    replacements: Mapping[str, Any]
    errors: list[Exception] = dataclasses.field(default_factory=list)


# The graph is built once and the replacements differ from run to run, in each thread.
_RUN: contextvars.ContextVar[_Run] = contextvars.ContextVar("run")


class Interventions:
    """Runs the classifier of an introspector with some of its activations replaced.

    The classifier's graph is replayed with a layer behind each activation that was ever to be replaced or
    read; in each run that layer gives the replacement, if there is one, or else what it reads. So a graph is
    built only where a path is met for the first time.

    Args:
        introspector: the `Introspector`; its pooling makes r of the replaced activations.
        masks: padding of those of its layers that are sequences, see `graph.Trace`.

    Call arguments:
        x, replacements, also, stop_gradient: see `Introspector.intervene`.
    """

    def __init__(self, introspector: keras.Model, masks: Mapping[str, keras.KerasTensor]) -> None:
        self._introspector, self._masks = introspector, masks
        self._places: frozenset[str] = frozenset()
        self._model: keras.Model | None = None
        self._lock = threading.Lock()

    def __call__(
        self, x: Any, replacements: Mapping[str, Any], also: Collection[str], stop_gradient: bool
    ) -> dict[str, Any]:
        if not isinstance(replacements, Mapping):
            raise ValueError(
                "`replacements` must be a dict of activations or functions by layer path, got a "
                f"{type(replacements).__name__}; for one layer write {{'name of the layer': activation}}"
            )
        if any(isinstance(part, keras.KerasTensor) for part in keras.tree.flatten((x, dict(replacements)))):
            raise ValueError(
                "`x` and `replacements` must hold numbers, got a KerasTensor, which has none: it belongs to "
                "a model that is being built; call intervene with arrays, also inside of a tf.function"
            )
        also = [also] if isinstance(also, str) else list(also)
        model = self._with_places(replacements, also)
        run = _Run({path: _checked(path, value) for path, value in replacements.items()})
        token = _RUN.set(run)
        try:
            outputs = model(x, training=False)
        except Exception:
            if run.errors:  # Keras makes another error of what is raised within a layer
                raise run.errors[0] from None
            raise
        finally:
            _RUN.reset(token)
        r = tf.stop_gradient(outputs["r"]) if stop_gradient else outputs["r"]
        return {path: outputs[path] for path in [*self._introspector.layer_paths, *also]} | {"r": r}

    def _with_places(self, replacements: Collection[str], also: Collection[str]) -> keras.Model:
        """Returns the replayed classifier, in which each of the paths can be replaced and read."""
        with self._lock:
            for argument, paths in (("replacements", replacements), ("also", also)):
                for path in paths:
                    if path not in self._places:
                        check_path(self._introspector.classifier, path, argument)
            wanted = self._places | {*replacements, *also}
            if self._model is None or wanted != self._places:
                self._model, self._places = self._build(wanted), wanted
            return self._model

    def _build(self, places: Collection[str]) -> keras.Model:
        introspector = self._introspector
        paths = introspector.layer_paths
        classifier = introspector.classifier
        holes = {
            tensor._keras_history[0].name
            for tensor, may_be_nan in zip(classifier.inputs, may_be_missing(classifier), strict=True)
            if may_be_nan
        }
        behind = {path: _Place(path, path in holes) for path in places}
        graph = trace(introspector.classifier, dict.fromkeys([*paths, *places]), behind)
        concatenated = introspector.get_layer("introspector_concatenate").output
        pooled = [*(introspector.output[path] for path in paths), *self._masks.values()]
        end = cut(pooled, concatenated)
        # No layer, which would have to pass on masks; and a function of inputs, as before Keras 3.13 one of
        # tensors in the middle of a graph reaches behind them.
        pool = _Pool(end.inputs, end.outputs[0])
        r = pool([*(graph.activations[path] for path in paths), *(graph.masks[path] for path in self._masks)])
        return keras.Model(introspector.input, {**graph.activations, "r": r})


class _Pool(keras.Function):
    """A function of activations of any number of examples, also where the classifier was built of so many."""

    def _assert_input_compatibility(self, inputs: Any) -> None:
        pass


class _Place(keras.layers.Layer):
    """Stands behind an activation and gives what takes its place in the run.

    Args:
        path: of the activation.
        may_be_nan: whether NaN stands there for what is missing.
    """

    def __init__(self, path: str, may_be_nan: bool) -> None:
        super().__init__(name=f"place_of_{path.replace('/', '.')}", autocast=False)
        self.supports_masking = True
        self._of, self._may_be_nan = path, may_be_nan

    def compute_output_spec(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, inputs.dtype)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        run = _RUN.get()
        if self._of not in run.replacements:
            return inputs
        try:
            return _replaced(self._of, inputs, run.replacements[self._of], self._may_be_nan)
        except Exception as error:  # a function of the user's may raise anything
            run.errors.append(error)
            raise


def _checked(path: str, value: Any) -> Callable[[tf.Tensor], Any] | tf.Tensor:
    """Returns a replacement that is an array as a tensor, and a function as it is."""
    return value if callable(value) else _numbers(f"replacements[{path!r}]", value)


def _replaced(path: str, activation: tf.Tensor, replacement: Any, may_be_nan: bool) -> tf.Tensor:
    """Returns what takes the place of an activation, of its shape and type."""
    name = f"replacements[{path!r}]"
    if callable(replacement):
        name = f"what the function {name} returns"
        replacement = _numbers(name, replacement(activation))
    seen, (examples, *one) = replacement.shape, activation.shape
    if not any(seen.is_compatible_with(shape) for shape in ([examples, *one], [1, *one], one)):
        one = tuple(size or "any" for size in one)
        whole, single, bare = (
            str(shape).replace("'", "") for shape in ((examples or "batch", *one), (1, *one), one)
        )
        raise ValueError(
            f"{name} must be {whole}, the shape of the activation in this batch, or {single} or {bare} for "
            f"all examples alike, got {tuple(seen)}; take it from intervene(…, also=[{path!r}]) of other "
            "examples, or pass a function of the activation"
        )
    # A tensor of its own: Keras notes the padding mask of this run on it.
    result = tf.broadcast_to(tf.cast(replacement, activation.dtype), tf.shape(activation))
    if tf.is_symbolic_tensor(result) or not activation.dtype.is_floating:
        return tf.ensure_shape(result, activation.shape)
    if tf.reduce_any(tf.math.is_inf(result) if may_be_nan else ~tf.math.is_finite(result)):
        raise ValueError(
            f"{name} holds NaN or infinity as {activation.dtype.name}, the layer's type; give finite numbers"
            + ("" if activation.dtype.size >= 4 else " that are not too large for it")
        )
    return tf.ensure_shape(result, activation.shape)


def _numbers(name: str, value: Any) -> tf.Tensor:
    try:
        tensor = keras.ops.convert_to_tensor(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers or a function, got {value!r}") from error
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer):
        raise ValueError(f"{name} must hold numbers, got {tensor.dtype.name}; cast them to float32")
    return tensor
