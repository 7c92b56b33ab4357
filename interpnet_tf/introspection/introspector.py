"""`Introspector`: a classifier that shows what its layers compute, and r(x) formed of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import keras

from interpnet_tf.introspection.default_layers import default_layers
from interpnet_tf.introspection.graph import check_classifier, check_path, output_path, trace
from interpnet_tf.introspection.interventions import Interventions
from interpnet_tf.introspection.pooling import to_vector


@keras.saving.register_keras_serializable(package="interpnet_tf")
class StopGradient(keras.layers.Layer):
    """Passes its input on and stops the gradient."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.stop_gradient(inputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape


@keras.saving.register_keras_serializable(package="interpnet_tf")
class Introspector(keras.Model):
    """Reads the activations of a classifier's layers and concatenates them into one vector r(x).

    The layers are the classifier's own, so that the weights are shared: an introspector of a classifier that
    trains on sees what it learns. Seen from here they are frozen: `trainable_variables` is empty, the
    gradient stops at r, and the layers always run in inference mode, even with `training=True`. The
    classifier itself stays as trainable as it was.

    Keras remembers the mode of the last call: a layer that is called *after* an introspector within one and
    the same `call` runs in inference mode unless `training=training` is passed to it.

    Args:
        classifier: a functional or built Sequential model with one output, the class probabilities.
        layers: names of the layers and inputs to read, in the order in which r holds them; "backbone/conv_3"
            names a layer inside the nested model "backbone", to any depth. A layer that is called several
            times stands with its last call. `None` takes what the paper takes: the input features (or,
            with images or text, the vector that enters the dense layers), every hidden activation, and the
            class probabilities.
        pooling: how maps `(batch, height, width, channels)` become vectors: "average", "compact_bilinear",
            or a layer (of which each map gets its own copy), or a function without arguments that returns
            such a layer. Sequences `(batch, steps, channels)` are averaged over the steps that are not
            padding, as far as the classifier's layers tell (see `step_masks.StepMasks`; else over all), and
            volumes over all positions. Where the channels of a map are, the classifier's layers
            tell, see `data_formats.data_format`.

    Call arguments:
        inputs: what the classifier reads, in the same structure.

    Returns:
        A dict with the activation of each layer in `layers`, just as the classifier computes it, and
        "r" `(batch, width)`, float32: each of them pooled to a vector, side by side.

    Raises:
        ValueError: if the classifier is no graph of layers, or an entry of `layers` is not one of them
            or gives no float tensor; the message lists the choices.

    Example:

    >>> classifier = keras.Sequential([
    ...     keras.Input((4,), name="features"),
    ...     keras.layers.Dense(3, activation="relu", name="hidden_1"),
    ...     keras.layers.Dense(2, activation="softmax", name="probabilities")])
    >>> introspector = Introspector(classifier)
    >>> introspector.layer_paths, introspector.width
    (('features', 'hidden_1', 'probabilities'), 9)
    >>> introspector.slices["hidden_1"]
    slice(4, 7, None)
    >>> tuple(introspector(keras.ops.ones((5, 4)))["r"].shape)
    (5, 9)

    References:
        - [Barratt, 2017](https://arxiv.org/abs/1710.09511), section 2, equation for r(x)
    """

    def __init__(
        self,
        classifier: keras.Model,
        layers: Sequence[str] | str | None = None,
        pooling: str | keras.layers.Layer | Callable[[], keras.layers.Layer] = "average",
        name: str = "introspector",
    ):
        check_classifier(classifier)
        graph = trace(classifier)
        probabilities_path = output_path(graph)
        if layers is None:
            paths = default_layers(graph)
        else:
            paths = [layers] if isinstance(layers, str) else list(layers)
        _check_paths(classifier, paths)
        pooling = _check_pooling(pooling)

        graph = trace(classifier, paths)
        activations = graph.activations
        vectors = [
            to_vector(activation, path, pooling, f"introspector_pool_{index}", graph.masks.get(path))
            for index, (path, activation) in enumerate(activations.items())
        ]
        r = keras.layers.Concatenate(dtype="float32", name="introspector_concatenate")(vectors)
        r = StopGradient(dtype="float32", name="r")(r)
        inputs = classifier.inputs[0] if isinstance(classifier, keras.Sequential) else classifier.input
        super().__init__(inputs=inputs, outputs={**activations, "r": r}, name=name)

        self.classifier = classifier
        self.pooling = pooling
        self.layer_paths = tuple(paths)
        self.probabilities_path = probabilities_path
        self._widths = tuple(vector.shape[-1] for vector in vectors)
        self._masks = graph.masks
        self._interventions = Interventions(self, graph.masks)

    @property
    def width(self) -> int:
        """Length of r."""
        return sum(self._widths)

    @property
    def slices(self) -> dict[str, slice]:
        """Where in r each layer's activation lies."""
        stops = [sum(self._widths[: index + 1]) for index in range(len(self._widths))]
        return {
            path: slice(stop - width, stop)
            for path, stop, width in zip(self.layer_paths, stops, self._widths, strict=True)
        }

    @property
    def trainable(self) -> bool:
        """Always false, and setting it does nothing: it would reach the classifier's own layers."""
        return False

    @trainable.setter
    def trainable(self, value: bool) -> None:
        pass

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> dict[str, Any]:
        return super().call(inputs, training=False, mask=mask)

    def pool(self, path: str, activation: Any, x: Any) -> Any:
        """Returns what r would hold of a layer, had it this activation; the gradient passes.

        Args:
            path: of the layer, one of `layer_paths`.
            activation: of the layer's shape, `(batch, ...)`.
            x: what the classifier reads, of which sequences have their padding: as many examples, or one.

        Returns:
            `(batch, width)`, the width being that of the layer's slice.
        """
        pooled = self.get_layer("introspector_concatenate").input
        vector = keras.tree.flatten(pooled)[self.layer_paths.index(path)]
        if vector is self.output[path]:
            return activation
        if path not in self._masks:
            return keras.Function(self.output[path], vector)(activation)
        mask = keras.Function(self.input, self._masks[path])(x)
        mask = keras.ops.broadcast_to(mask, keras.ops.shape(activation)[:2])
        return keras.Function([self.output[path], self._masks[path]], vector)([activation, mask])

    def intervene(
        self,
        x: Any,
        replacements: Mapping[str, Any],
        also: Collection[str] = (),
        stop_gradient: bool = True,
    ) -> dict[str, Any]:
        """Runs the classifier with the activations of some layers replaced.

        What lies behind a replaced layer is computed from the replacement; what lies before it or beside it
        stays as it is. Any layer or input that gives one tensor of floats may be replaced, not only those in
        `layers`. A layer that is called several times is replaced in its last call alone: that is the
        activation that its name stands for in the dict, so that replacing it by itself changes nothing. The
        padding of sequences stays as the classifier's layers tell it, see `step_masks.StepMasks`.

        Runs eagerly, inside a `tf.function` and under a `tf.GradientTape`. The gradient of the class
        probabilities, and of every activation in the dict, with respect to a replacement is there; that of r
        stops unless `stop_gradient` is false.

        Args:
            x: what the classifier reads.
            replacements: by layer path, an array of the activation's shape `(batch, ...)`, or without the
                batch or with a batch of one for all examples alike; or a function, which gets the activation
                (computed with all that is replaced before it) and returns such an array. Cast to the
                activation's type.
            also: paths of further layers whose activations are wanted.
            stop_gradient: whether the gradient stops at r, as in a call of the introspector.

        Returns:
            A dict as that of a call: the activation of each layer in `layers` and `also`, a replaced one's
            being the replacement, and "r" `(batch, width)`.

        Raises:
            ValueError: if a path names no activation, or a replacement has another shape or is not finite.

        Example:

        >>> inputs = keras.Input((2,), name="features")
        >>> hidden = keras.layers.Dense(2, name="hidden", kernel_initializer="ones")(inputs)
        >>> outputs = keras.layers.Dense(1, "sigmoid", name="output", kernel_initializer="ones")(hidden)
        >>> introspector = Introspector(keras.Model(inputs, outputs))
        >>> x = keras.ops.array([[1.0, 2.0]])
        >>> introspector(x)["hidden"].numpy().tolist()
        [[3.0, 3.0]]
        >>> introspector.intervene(x, {"hidden": [5.0, -5.0]})["r"].numpy().tolist()
        [[1.0, 2.0, 5.0, -5.0, 0.5]]
        >>> outputs = introspector.intervene(x, {"hidden": lambda activation: activation - 3})
        >>> outputs["output"].numpy().tolist()
        [[0.5]]

        References:
            - [Geiger et al., 2021](https://arxiv.org/abs/2106.02997), interchange interventions
        """
        return self._interventions(x, replacements, also, stop_gradient)

    def get_config(self) -> dict[str, Any]:
        return {
            "classifier": keras.saving.serialize_keras_object(self.classifier),
            "layers": list(self.layer_paths),
            "pooling": keras.saving.serialize_keras_object(self.pooling),
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Introspector:
        revive = keras.saving.deserialize_keras_object
        return cls(
            **{
                **config,
                "classifier": revive(config["classifier"], custom_objects=custom_objects),
                "pooling": revive(config["pooling"], custom_objects=custom_objects),
            }
        )


def _check_paths(classifier: keras.Model, paths: list[str]) -> None:
    if not paths:
        raise ValueError("`layers` is empty: name one layer at least, or pass None for the paper's choice")
    for path in paths:
        check_path(classifier, path)
    if len(set(paths)) < len(paths):
        raise ValueError(f"`layers` must name each layer once, got {paths}")
    if "r" in [layer.name for layer in classifier.layers] + [tensor.name for tensor in classifier.inputs]:
        raise ValueError(f"a layer of {classifier.name!r} is called 'r', the name of the vector; rename it")


def _check_pooling(pooling: Any) -> str | keras.layers.Layer:
    if isinstance(pooling, keras.layers.Layer) or pooling in ("average", "compact_bilinear"):
        return pooling
    layer = pooling() if callable(pooling) else None
    if isinstance(layer, keras.layers.Layer):
        return layer
    raise ValueError(
        "`pooling` must be 'average', 'compact_bilinear', a keras layer or a function without arguments that "
        f"returns one, got {pooling!r}"
    )
