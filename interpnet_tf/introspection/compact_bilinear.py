"""`CompactBilinearPooling`: second-order pooling of feature maps in few dimensions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="interpnet_tf")
class CompactBilinearPooling(keras.layers.Layer):
    """Pools the outer products of local features with themselves, compressed by tensor sketch.

    Full bilinear pooling sums x xᵀ over all locations: `channels ** 2` numbers. Here each x is hashed twice
    into a count sketch of `output_dim` numbers, and the circular convolution of the two is a sketch of x xᵀ:
    its inner products estimate ⟨x, y⟩² without bias. By the convolution theorem that is a product of Fourier
    transforms; the inverse transform is linear, so that it runs once an image, after the sum.

    The hashes follow from `seed` and are no weights. Everything is computed in float32.

    Args:
        output_dim: length of the pooled vector; the paper's default.
        seed: of the hashes; layers of equal seed and channels are equal.
        signed_sqrt: whether to take sign(v) √|v| of each entry v.
        normalize: whether to scale the vector to length 1.

    Call arguments:
        inputs: `(batch, height, width, channels)` or `(batch, locations, channels)`, floats.

    Returns:
        `(batch, output_dim)`, float32.

    Raises:
        ValueError: if the inputs have another rank, or their number of channels is unknown.

    Example:

    >>> maps = keras.random.normal((2, 7, 7, 64))
    >>> tuple(CompactBilinearPooling(output_dim=512)(maps).shape)
    (2, 512)

    References:
        - [Gao et al., 2016](https://arxiv.org/abs/1511.06062), algorithm 2 and section 4.1
        - [Pham and Pagh, 2013](https://doi.org/10.1145/2487575.2487591), tensor sketch
    """

    def __init__(
        self,
        output_dim: int = 8192,
        seed: int = 0,
        signed_sqrt: bool = True,
        normalize: bool = True,
        dtype: Any = "float32",
        **kwargs: Any,
    ):
        if output_dim < 1:
            raise ValueError(f"`output_dim` must be positive, got {output_dim}")
        super().__init__(dtype=dtype, **kwargs)
        self.output_dim = output_dim
        self.seed = seed
        self.signed_sqrt = signed_sqrt
        self.normalize = normalize

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) not in (3, 4) or input_shape[-1] is None:
            raise ValueError(
                "`inputs` must be (batch, height, width, channels) or (batch, locations, channels), the "
                f"number of channels known, got shape {input_shape}"
            )
        # RandomState's stream is frozen for good, so that a saved model hashes alike under any NumPy.
        random = np.random.RandomState(self.seed)
        channels = input_shape[-1]
        self._hashes = random.randint(self.output_dim, size=(2, channels)).astype("int32")
        self._signs = (2 * random.randint(2, size=(2, channels)) - 1).astype("float32")

    def sketch(self, inputs: Any, index: int) -> Any:
        """Returns count sketch `index` (0 or 1) of vectors: `(…, channels)` → `(…, output_dim)`."""
        channels = inputs.shape[-1]
        rows = ops.reshape(inputs, (-1, channels)) * self._signs[index]
        sums = ops.segment_sum(ops.transpose(rows), self._hashes[index], num_segments=self.output_dim)
        return ops.reshape(ops.transpose(sums), (*ops.shape(inputs)[:-1], self.output_dim))

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, "float32")
        x = ops.reshape(x, (ops.shape(x)[0], -1, x.shape[-1]))
        real_0, imaginary_0 = ops.rfft(self.sketch(x, 0), fft_length=self.output_dim)
        real_1, imaginary_1 = ops.rfft(self.sketch(x, 1), fft_length=self.output_dim)
        real = ops.sum(real_0 * real_1 - imaginary_0 * imaginary_1, axis=1)
        imaginary = ops.sum(real_0 * imaginary_1 + imaginary_0 * real_1, axis=1)
        pooled = ops.irfft((real, imaginary), fft_length=self.output_dim)
        if self.signed_sqrt:
            # The slope of the square root is infinite at 0, the small constant bounds it.
            pooled = ops.sign(pooled) * ops.sqrt(ops.abs(pooled) + 1e-10)
        if self.normalize:
            pooled = ops.normalize(pooled, axis=-1, order=2)
        return pooled

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "output_dim": self.output_dim,
            "seed": self.seed,
            "signed_sqrt": self.signed_sqrt,
            "normalize": self.normalize,
        }
