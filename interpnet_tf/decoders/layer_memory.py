"""`LayerMemory`: r(x) as a sequence of tokens, a few of each layer, for a decoder to attend to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf


class LayerMemory(keras.layers.Layer):
    """Turns each layer's slice of r(x) into a few tokens.

    A token is a linear map of the slice, with a bias of its own that tells the tokens apart, after layer
    normalization.

    Args:
        slices: dict of layer names and `[begin, end]` in r, which must be covered.
        units: width of a token.
        tokens_per_layer: number of tokens of each slice.
        seeds: of the initial weights; two for each slice are taken.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        r: float `(batch, width)`.

    Returns:
        The tokens `(batch, slices * tokens_per_layer, units)`, slice after slice.

    Raises:
        ValueError: if the slices do not cover r.

    Example:

    >>> import itertools
    >>> memory = LayerMemory({"hidden": [0, 4], "output": [4, 6]}, 8, 3, seeds=itertools.count())
    >>> memory(keras.ops.ones((2, 6))).shape
    TensorShape([2, 6, 8])
    """

    def __init__(
        self,
        slices: Mapping[str, list[int]],
        units: int,
        tokens_per_layer: int,
        seeds: Iterator[int | None],
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.bounds = [tuple(bounds) for bounds in slices.values()]
        self.names, self.units, self.tokens_per_layer = list(slices), units, tokens_per_layer
        # With LeCun's initializer the tokens of all layers start equally large, if r's entries are so.
        self.projections = [
            keras.layers.Dense(
                tokens_per_layer * units,
                kernel_initializer=keras.initializers.LecunNormal(seed=next(seeds)),
                bias_initializer=keras.initializers.RandomNormal(stddev=0.02, seed=next(seeds)),
                dtype=self.dtype_policy,
                name=f"projection_{index}",
            )
            for index in range(len(slices))
        ]
        self.normalization = keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name="normalization"
        )

    def build(self, r_shape: tuple) -> None:
        filled = 0
        for name, (begin, end) in zip(self.names, self.bounds, strict=True):
            if begin != filled or end <= begin:
                raise ValueError(
                    f"slices must follow one another; {name!r} must begin at {filled} and end after it, "
                    f"got ({begin}, {end})"
                )
            filled = end
        if filled != r_shape[-1]:
            raise ValueError(f"slices must cover r, whose width is {r_shape[-1]}, but they end at {filled}")
        for projection, (begin, end) in zip(self.projections, self.bounds, strict=True):
            projection.build((None, end - begin))
        self.normalization.build(self.compute_output_shape(r_shape))

    def call(self, r: Any) -> tf.Tensor:
        return self.normalize(self.project(r))

    def project(self, r: Any) -> tf.Tensor:
        """Returns the tokens before they are normalized, side by side, which are linear in r."""
        tokens = [
            projection(r[:, begin:end])
            for projection, (begin, end) in zip(self.projections, self.bounds, strict=True)
        ]
        return tf.concat(tokens, axis=-1)

    def project_back(self, gradients: tf.Tensor) -> tf.Tensor:
        """Returns the gradients by r, `(batch, width)`, of those by what `project` gives."""
        parts = tf.split(gradients, len(self.projections), axis=-1)
        kernels = [tf.convert_to_tensor(projection.kernel) for projection in self.projections]
        parts = [
            tf.matmul(part, kernel, transpose_b=True) for part, kernel in zip(parts, kernels, strict=True)
        ]
        return tf.concat(parts, axis=-1)

    def normalize(self, projected: tf.Tensor) -> tf.Tensor:
        """Returns the tokens `(batch, tokens, units)` of what `project` gives."""
        return self.normalization(tf.reshape(projected, self.compute_output_shape((-1, None))))

    def compute_output_shape(self, r_shape: tuple) -> tuple:
        return (r_shape[0], len(self.bounds) * self.tokens_per_layer, self.units)
