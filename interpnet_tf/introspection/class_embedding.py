"""The class as what a decoder reads: a layer of the classifier that gives a vector of the predicted class."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.introspection import graph

CLASS_EMBEDDING = "class_embedding"


@keras.saving.register_keras_serializable(package="interpnet_tf")
class ClassEmbedding(keras.layers.Layer):
    """Looks up a fixed vector of the class with the highest score.

    Args:
        classes: number of classes.
        width: of the vectors, which are the layer's only weight, `(classes, width)`.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        scores: float `(batch, classes)`.

    Returns:
        float32 `(batch, width)`.
    """

    def __init__(self, classes: int, width: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.classes, self.width = classes, width
        self.vectors = self.add_weight((classes, width), "zeros", trainable=False, name="vectors")

    def call(self, scores: Any) -> tf.Tensor:
        # tf.argmax: that of keras.ops becomes an operation which LiteRT lacks.
        return tf.gather(tf.convert_to_tensor(self.vectors), tf.argmax(scores, axis=-1, output_type=tf.int32))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes, "width": self.width}


@keras.saving.register_keras_serializable(package="interpnet_tf")
class Beside(keras.layers.Layer):
    """Returns its first input; the second is part of the model beside it, for an `Introspector`.

    Args:
        **kwargs: those of `keras.layers.Layer`.
    """

    def call(self, inputs: list[Any]) -> Any:
        return inputs[0]

    def compute_output_shape(self, input_shape: list[tuple]) -> tuple:
        return input_shape[0]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Beside:
        return cls(**{key: value for key, value in config.items() if key != "activation"})  # in older files


def with_class_embedding(classifier: keras.Model, vectors: np.ndarray) -> keras.Model:
    """Returns a classifier with the same layers, weights and output, and a layer "class_embedding".

    Args:
        classifier: a functional or built Sequential classifier with an output for each class.
        vectors: of the classes, `(classes, width)`, such as `sentence_training.class_vectors` gives.

    Returns:
        The classifier; its layer "class_embedding" `(batch, width)` gives the predicted class's vector.

    Raises:
        ValueError: if there is not a vector for each output.

    Example:

    >>> inputs = keras.Input((4,), name="features")
    >>> classifier = keras.Model(inputs, keras.layers.Dense(2, "softmax")(inputs))
    >>> with_class_embedding(classifier, np.eye(2, 3)).get_layer("class_embedding").output.shape
    (None, 3)
    """
    graph.check_classifier(classifier)
    output = classifier.outputs[0]
    if output.shape[-1] != len(vectors) or len(vectors) < 2:
        raise ValueError(
            f"vectors must have a row for each of two or more outputs of the classifier, got {vectors.shape} "
            f"for {output.shape[-1]}"
        )
    embedding = ClassEmbedding(*vectors.shape, name=CLASS_EMBEDDING)
    beside = Beside(name="classifier_output")
    inputs = classifier.inputs[0] if isinstance(classifier, keras.Sequential) else classifier.input
    model = keras.Model(inputs, beside([output, embedding(output)]), name=classifier.name)
    embedding.vectors.assign(vectors)
    return model
