"""A column of numbers within a classifier of tables, cells of which may be missing."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="interpnet_tf")
class NumberColumn(keras.layers.Layer):
    """Standardises a column of numbers, or of booleans; a missing cell, NaN, becomes the mean.

    `keras.layers.Normalization`, and `keras.utils.FeatureSpace` with it, gives NaN for NaN.

    Args:
        mean: of the numbers of the training data.
        deviation: their standard deviation.
        tells_missing: whether a second number tells if the cell is missing.

    Call arguments:
        inputs: `(batch,)`.

    Returns:
        Floats `(batch, 1)`: (x - mean) / deviation, 0 where x is missing; with `tells_missing` `(batch, 2)`:
        beside it 1 where x is missing and 0 elsewhere.

    Example:

    >>> column = NumberColumn(mean=3.0, deviation=2.0, tells_missing=True)
    >>> column(keras.ops.array([1.0, float("nan")])).numpy().tolist()
    [[-1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(
        self, mean: float = 0.0, deviation: float = 1.0, tells_missing: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**{"autocast": False, **kwargs})  # half precision would round before the mean is off
        self.mean, self.deviation, self.tells_missing = float(mean), float(deviation), bool(tells_missing)

    def call(self, inputs: Any) -> Any:
        numbers = keras.ops.cast(inputs, "float32")
        missing = keras.ops.not_equal(numbers, numbers)  # for which there is an op on phones, too
        # The mean takes the place of NaN before anything is computed, so that no gradient is NaN either.
        numbers = keras.ops.where(missing, self.mean, numbers)
        parts = [(numbers - self.mean) / self.deviation]
        parts += [keras.ops.cast(missing, "float32")] if self.tells_missing else []
        return keras.ops.cast(keras.ops.stack(parts, axis=-1), self.compute_dtype)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor((*inputs.shape, 1 + self.tells_missing), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = {"mean": self.mean, "deviation": self.deviation, "tells_missing": self.tells_missing}
        return {**super().get_config(), **config}


def may_be_missing(classifier: keras.Model) -> list[bool]:
    """Returns of each input of a classifier, in the order of its flattened `input`, whether it may be NaN.

    It may where it holds floats, and nothing reads it but a `NumberColumn`.
    """
    readers: dict[int, list[Any]] = {}
    for layer in getattr(classifier, "operations", ()):
        for node in layer._inbound_nodes:
            for tensor in node.input_tensors:
                readers.setdefault(id(tensor), []).append(layer)
    return [
        keras.backend.is_float_dtype(tensor.dtype)
        and id(tensor) in readers
        and all(isinstance(reader, NumberColumn) for reader in readers[id(tensor)])
        for tensor in classifier.inputs
    ]
