"""`LRCNDecoder`: the two-layer LSTM of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.decoders.folded_lrcn import FoldedLRCN, fold_lrcn
from interpnet_tf.decoders.lrcn_gradients import lrcn_path_gradients
from interpnet_tf.decoders.recurrence import forget_gate_open, lstm_cell, lstm_sequence


def _initializer(name: str, seed: int | None) -> Any:
    if name == "embedding":
        return keras.initializers.RandomNormal(stddev=0.5, seed=seed)
    if name in ("bias_1", "bias_2"):
        return forget_gate_open
    if name.endswith("bias"):
        return "zeros"
    if name.startswith("recurrent"):
        return keras.initializers.Orthogonal(seed=seed)
    return keras.initializers.GlorotUniform(seed=seed)


@keras.saving.register_keras_serializable(package="interpnet_tf")
class LRCNDecoder(ExplanationDecoder):
    """The paper's decoder, LRCN_2f: two LSTMs, of which the second also reads r(x).

    Word embedding → LSTM → concatenate r(x), linear → LSTM → linear to the vocabulary, with dropout on the
    output of both LSTMs. As `W [h, r] = W_h h + W_r r` and r is the same for every word, r is projected once
    a sentence.

    Args:
        vocabulary_size: number of token ids, special ones included.
        embedding_dim: width of the word embedding.
        units: width of each LSTM and of the linear layer between them.
        dropout: share of the LSTMs' outputs that is dropped in training, in [0, 1).
        seed: of the initial weights and of the dropout.
        **kwargs: those of `keras.layers.Layer`; `dtype="mixed_bfloat16"` multiplies in bfloat16 and keeps
            weights, gates and states in float32.

    Call arguments:
        inputs: dict of `"r"`, float `(batch, width)`, and `"tokens"`, int `(batch, words)`.
        training: whether dropout is on.

    Returns:
        float32 logits `(batch, words, vocabulary)`.

    Example:

    >>> decoder = LRCNDecoder(vocabulary_size=50, units=8)
    >>> decoder({"r": keras.ops.ones((2, 3)), "tokens": keras.ops.ones((2, 7), "int32")}).shape
    TensorShape([2, 7, 50])

    References:
    - [Barratt 2017, section 4](https://arxiv.org/abs/1710.09511)
    - [Donahue et al. 2015, LRCN](https://arxiv.org/abs/1411.4389)
    """

    path_rows = 128  # small enough for the processor's caches

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int = 256,
        units: int = 512,
        dropout: float = 0.2,
        seed: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(vocabulary_size, **kwargs)
        for name, value in {"embedding_dim": embedding_dim, "units": units}.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be at least 0 and less than 1, got {dropout}")
        self.embedding_dim, self.units, self.dropout, self.seed = embedding_dim, units, dropout, seed
        seeds = [None if seed is None else seed + offset for offset in range(2)]
        self.dropout_1 = keras.layers.Dropout(dropout, seed=seeds[0], dtype="float32", name="dropout_1")
        self.dropout_2 = keras.layers.Dropout(dropout, seed=seeds[1], dtype="float32", name="dropout_2")

    def build(self, input_shape: dict[str, tuple]) -> None:
        units = self.units
        width = input_shape["r"][-1]
        shapes = {
            "embedding": (self.vocabulary_size, self.embedding_dim),
            "kernel_1": (self.embedding_dim, 4 * units),
            "recurrent_kernel_1": (units, 4 * units),
            "bias_1": (4 * units,),
            "merge_words": (units, units),
            "merge_r": (width, units),
            "merge_bias": (units,),
            "kernel_2": (units, 4 * units),
            "recurrent_kernel_2": (units, 4 * units),
            "bias_2": (4 * units,),
            "output_kernel": (units, self.vocabulary_size),
            "output_bias": (self.vocabulary_size,),
        }
        self._weight_names = list(shapes)
        for index, (name, shape) in enumerate(shapes.items()):
            seed = None if self.seed is None else self.seed + index
            # autocast=False: the products cast their kernels, everything else stays in float32.
            setattr(self, name, self.add_weight(shape, _initializer(name, seed), name=name, autocast=False))

    def _product(self, x: tf.Tensor, kernel: Any) -> tf.Tensor:
        """Multiplies over the last axis of `x` in the compute type, and returns float32."""
        kernel = tf.cast(tf.convert_to_tensor(kernel), self.compute_dtype)
        flat = tf.cast(tf.reshape(x, (-1, x.shape[-1])), self.compute_dtype)
        product = tf.cast(tf.matmul(flat, kernel), tf.float32)
        return tf.reshape(product, tf.concat([tf.shape(x)[:-1], [kernel.shape[-1]]], axis=0))

    def _recurrent(self, kernel: Any) -> tf.Tensor:
        return tf.cast(tf.convert_to_tensor(kernel), self.compute_dtype)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> tf.Tensor:
        tokens = tf.transpose(inputs["tokens"])
        embedded = tf.nn.embedding_lookup(tf.convert_to_tensor(self.embedding), tokens)
        hidden = lstm_sequence(
            self._product(embedded, self.kernel_1) + self.bias_1, self._recurrent(self.recurrent_kernel_1)
        )
        hidden = self.dropout_1(hidden, training=training)
        merged = self._product(hidden, self.merge_words) + self._project_r(inputs["r"])
        hidden = lstm_sequence(
            self._product(merged, self.kernel_2) + self.bias_2, self._recurrent(self.recurrent_kernel_2)
        )
        hidden = self.dropout_2(tf.transpose(hidden, (1, 0, 2)), training=training)
        return self._product(hidden, self.output_kernel) + self.output_bias

    def start(self, r: tf.Tensor) -> dict[str, tf.Tensor]:
        zeros = tf.zeros((tf.shape(r)[0], self.units))
        return {"r": self._project_r(r), "h_1": zeros, "c_1": zeros, "h_2": zeros, "c_2": zeros}

    def step(self, token: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        embedded = tf.gather(tf.convert_to_tensor(self.embedding), token)
        gates = self._product(embedded, self.kernel_1) + self._product(state["h_1"], self.recurrent_kernel_1)
        h_1, c_1 = lstm_cell(gates + self.bias_1, state["c_1"])
        merged = self._product(h_1, self.merge_words) + state["r"]
        gates = self._product(merged, self.kernel_2) + self._product(state["h_2"], self.recurrent_kernel_2)
        h_2, c_2 = lstm_cell(gates + self.bias_2, state["c_2"])
        logits = self._product(h_2, self.output_kernel) + self.output_bias
        return logits, {"r": state["r"], "h_1": h_1, "c_1": c_1, "h_2": h_2, "c_2": c_2}

    def fold(self) -> dict[str, tf.Tensor]:
        return fold_lrcn(self._kernels(), self.compute_dtype)

    def folded(self, weights: Mapping[str, tf.Tensor]) -> FoldedLRCN:
        return FoldedLRCN(weights)

    def path_gradients(
        self, begin: Any, end: Any, tokens: Any, words: Any, lengths: Any, points: Any, weights: Any
    ) -> tf.Tensor:
        if self.compute_dtype != "float32":
            return super().path_gradients(begin, end, tokens, words, lengths, points, weights)
        gradients = lrcn_path_gradients(self._kernels(), begin, end, tokens, words, points, weights)
        return tf.where(tf.sequence_mask(lengths, tf.shape(words)[1])[..., None], gradients, 0.0)

    def _kernels(self) -> dict[str, tf.Tensor]:
        return {name: tf.convert_to_tensor(getattr(self, name)) for name in self._weight_names}

    def _project_r(self, r: tf.Tensor) -> tf.Tensor:
        return self._product(r, self.merge_r) + self.merge_bias

    def compute_output_shape(self, input_shape: dict[str, tuple]) -> tuple:
        return (*input_shape["tokens"], self.vocabulary_size)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "embedding_dim": self.embedding_dim,
            "units": self.units,
            "dropout": self.dropout,
            "seed": self.seed,
        }
