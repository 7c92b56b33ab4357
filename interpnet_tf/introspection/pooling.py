"""How activations become vectors of r(x): maps, sequences and volumes are pooled over their positions."""

from __future__ import annotations

from typing import Any

import keras

from interpnet_tf.introspection.compact_bilinear import CompactBilinearPooling
from interpnet_tf.introspection.data_formats import LAST, data_format


@keras.saving.register_keras_serializable(package="interpnet_tf")
class AverageOverSteps(keras.layers.GlobalAveragePooling1D):
    """Averages `(batch, steps, channels)` over the steps that the mask keeps; zeros where it keeps none."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        kept = keras.ops.cast(mask, "bool")[..., None]
        total = keras.ops.sum(keras.ops.where(kept, inputs, 0), axis=1)
        return total / keras.ops.maximum(keras.ops.sum(keras.ops.cast(kept, inputs.dtype), axis=1), 1)


def to_vector(
    activation: keras.KerasTensor,
    path: str,
    pooling: str | keras.layers.Layer,
    name: str,
    mask: keras.KerasTensor | None,
) -> keras.KerasTensor:
    """Puts the layers behind an activation that make a vector of it, as r holds it.

    Args:
        activation: of a layer.
        path: its path, for messages.
        pooling: how maps become vectors, see `Introspector`.
        name: of the layer that pools.
        mask: which steps of a sequence are no padding.

    Raises:
        ValueError: if it has another rank than 2 to 5, or the vector's length is not known.
    """
    # dtype float32: a half-precision sum over a large map would overflow.
    options = {"dtype": "float32", "name": name}
    rank, shape = len(activation.shape), activation.shape
    wanted = LAST
    if rank == 4 and isinstance(pooling, keras.layers.Layer):
        wanted = getattr(pooling, "data_format", LAST)
    if rank in (3, 4, 5) and data_format(activation) != wanted:
        axes = (*range(2, rank), 1) if wanted == LAST else (rank - 1, *range(1, rank - 1))
        activation = keras.layers.Permute(axes, name=f"{name}_permute")(activation)
    if rank == 2:
        vector = activation
    elif rank == 3:
        masked = {} if mask is None else {"mask": mask}
        vector = AverageOverSteps(data_format=LAST, **options)(activation, **masked)
    elif rank == 4 and isinstance(pooling, keras.layers.Layer):
        vector = pooling.__class__.from_config({**pooling.get_config(), **options})(activation)
    elif rank == 4 and pooling == "compact_bilinear":
        vector = CompactBilinearPooling(**options)(activation)
    elif rank == 4:
        vector = keras.layers.GlobalAveragePooling2D(data_format=LAST, **options)(activation)
    elif rank == 5:
        vector = keras.layers.GlobalAveragePooling3D(data_format=LAST, **options)(activation)
    else:
        raise ValueError(f"`layers` names {path!r} of shape {shape}, but r takes ranks 2 to 5")
    if len(vector.shape) != 2 or vector.shape[-1] is None:
        raise ValueError(
            f"`layers` names {path!r} of shape {shape}, pooled to {vector.shape}; r needs "
            "(batch, width) with a known width"
        )
    return vector
