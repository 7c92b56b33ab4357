"""The part of a classifier that lies behind a layer."""

from __future__ import annotations

import keras

from interpnet_tf.introspection.default_layers import default_layers
from interpnet_tf.introspection.graph import check_path, output_path, trace


def downstream(classifier: keras.Model, path: str) -> keras.Model | None:
    """Returns the part of a classifier behind a layer, as a model of the layer's activation.

    The layers are the classifier's own. With it many changes of one activation are followed to the output
    without computing again what lies before them, as `Introspector.intervene` does.

    Args:
        classifier: the classifier, or an `Introspector`'s.
        path: of a layer or input that gives one tensor.

    Returns:
        A model, activation `(batch, ...)` → what the classifier gives; or `None` if something passes by the
        layer, so that its activation alone does not tell the output, if the layer is the output, or if it
        lies inside of a nested model.

    Raises:
        ValueError: if `path` names no activation.

    Example:

    >>> inputs = keras.Input((2,))
    >>> hidden = keras.layers.Dense(2, name="hidden")(inputs)
    >>> classifier = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones")(hidden))
    >>> downstream(classifier, "hidden")(keras.ops.array([[1.0, 2.0]])).numpy().tolist()
    [[3.0]]
    """
    check_path(classifier, path, "path")
    graph = trace(classifier, [path])
    if graph.output is graph.activations[path]:
        return None
    try:
        return keras.Model(graph.activations[path], graph.output)
    except ValueError:  # how Keras says that the output has inputs beside it
        return None


def decisive_vectors(classifier: keras.Model) -> dict[str, keras.Model]:
    """Returns the layers of which each alone, as one vector an example, tells what the classifier gives.

    They are those of which the paper forms r(x), without the output: x and the hidden layers.

    Args:
        classifier: the classifier.

    Returns:
        For each layer's path the model behind it, see `downstream`; in the order of the classifier.
    """
    graph = trace(classifier)
    found = {}
    for path in default_layers(graph):
        behind = None if path == output_path(graph) else downstream(classifier, path)
        if behind is not None and len(behind.input.shape) == 2:
            found[path] = behind
    return found
