"""Where a classifier's activations move when something else can be said of an example."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.inputs import batch_of
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.introspection.downstream import decisive_vectors
from interpnet_tf.introspection.probabilities import class_probabilities
from interpnet_tf.metrics.ridge import ridge

_SCALES = (1.0, 1.5, 2.0, 3.0)
_ROWS = 4096


class ConceptShifts:
    """Moves the activations of examples from one concept to another, and tells how the decision changes.

    Each concept has a direction in every layer: the coefficients of a ridge regression of the activations of
    training examples on what their sentences tell. An example of which "red crown" is said becomes one with
    a blue crown, to the classifier, where its activation has moved by blue minus red.

    Args:
        model: an `InterpNet`.
        x: inputs of training examples, as of `InterpNet.explain`.
        known: whether the example has the concept, as `Concepts.known` tells, `(examples, concepts)`.
        penalty: see `ridge`.
        batch_size: examples that the classifier reads at a time.

    Attributes:
        layers: paths of the layers that are moved, each for itself.
        directions: of each layer, float32 `(concepts + 1, width)`; the last is zero.

    Raises:
        ValueError: if no layer of the classifier, as a vector, tells its decision.
    """

    def __init__(
        self, model: ExplainingModel, x: Any, known: np.ndarray, penalty: float, batch_size: int
    ) -> None:
        self._model = model
        self._behind = decisive_vectors(model.classifier)
        if not self._behind:
            raise ValueError(
                "the classifier has no layer that is a vector through which all of the decision passes, such "
                "as a dense layer or what it reads; what carried its decision cannot be told"
            )
        self.layers = list(self._behind)
        self._graphs = {path: self._graph(path) for path in self.layers}
        activations, _ = self.read(x, batch_size)
        slopes = {path: ridge(known, of_layer, penalty) for path, of_layer in activations.items()}
        self.directions = {
            path: np.pad(of_layer, [(0, 1), (0, 0)]).astype("float32") for path, of_layer in slopes.items()
        }

    def read(self, x: Any, batch_size: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Returns the layers' activations `(examples, width)` and the probabilities `(examples, classes)`."""
        introspector = self._model.introspector
        x = batch_of(x, introspector.input)
        examples, batches = int(keras.tree.flatten(x)[0].shape[0]), []
        for begin in range(0, examples, batch_size):
            part = keras.tree.map_structure(lambda rows, at=begin: rows[at : at + batch_size], x)
            found = introspector.intervene(part, {}, also=self.layers)
            batches.append({path: tf.cast(found[path], tf.float32).numpy() for path in self.layers})
        activations = {path: np.concatenate([one[path] for one in batches]) for path in self.layers}
        first = self.layers[0]
        return activations, self._probabilities(first, tf.constant(activations[first])).numpy()

    def changes(
        self,
        activations: dict[str, np.ndarray],
        probabilities: np.ndarray,
        rows: np.ndarray,
        own: np.ndarray,
        others: np.ndarray,
    ) -> np.ndarray:
        """Returns how much the decision changes, the mean over the layers and over how far they are moved.

        Args:
            activations, probabilities: of examples, see `read`.
            rows: which example is moved, `(moves,)`.
            own: from which concept, `(moves,)`.
            others: to which, `(moves,)`; the number of concepts stands for none of them.

        Returns:
            Total variation between the class probabilities before and after, float32 `(moves,)`.
        """
        total = np.zeros(len(rows), "float32")
        for path in self.layers:
            of_layer, directions = tf.constant(activations[path]), tf.constant(self.directions[path])
            for begin in range(0, len(rows), _ROWS):
                part = slice(begin, begin + _ROWS)
                moves = (tf.constant(part_of[part], tf.int32) for part_of in (rows, own, others))
                total[part] += self._graphs[path](of_layer, directions, probabilities, *moves).numpy()
        return total / len(self.layers)

    def _graph(self, path: str) -> Any:
        width, classes = self._behind[path].input.shape[1], len(self._model.class_names)
        numbers = tf.TensorSpec([None], tf.int32)
        arrays = [tf.TensorSpec([None, size], tf.float32) for size in (width, width, classes)]

        @tf.function(input_signature=[*arrays, numbers, numbers, numbers], autograph=False)
        def mean_change(
            of_layer: tf.Tensor,
            directions: tf.Tensor,
            probabilities: tf.Tensor,
            rows: tf.Tensor,
            own: tf.Tensor,
            others: tf.Tensor,
        ) -> tf.Tensor:
            start = tf.gather(of_layer, rows)
            move = tf.gather(directions, others) - tf.gather(directions, own)
            before = tf.gather(probabilities, rows)
            changes = [
                tf.reduce_sum(tf.abs(self._probabilities(path, start + scale * move) - before), axis=1) / 2
                for scale in _SCALES
            ]
            return tf.add_n(changes) / len(changes)

        return mean_change

    def _probabilities(self, path: str, activation: tf.Tensor) -> tf.Tensor:
        outputs = self._behind[path](activation, training=False)
        return class_probabilities(self._model.classifier, outputs, self._model.output_kind)
