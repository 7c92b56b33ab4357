"""`FoldedLRCN`: the paper's decoder with its weights multiplied out, for saying many sentences."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from interpnet_tf.decoders.recurrence import lstm_cell


def fold_lrcn(weights: Mapping[str, tf.Tensor], compute_dtype: str) -> dict[str, tf.Tensor]:
    """Multiplies out what does not depend on the sentence.

    No nonlinearity stands between the embedding and the first LSTM, nor between the first LSTM and the
    second: each pair of products is one. What remains for a word is a row of a table and two products, one
    for each hidden state, a ninth less arithmetic than the plain form in fewer and larger pieces.

    Args:
        weights: the float32 weights of an `LRCNDecoder` by their names.
        compute_dtype: type to multiply in.

    Returns:
        The weights of a `FoldedLRCN`.
    """
    narrow = {}
    narrow["merge_r"] = weights["merge_r"]
    narrow["kernel_2"] = weights["kernel_2"]
    merged = tf.matmul(weights["merge_words"], weights["kernel_2"])
    narrow["from_hidden_1"] = tf.concat([weights["recurrent_kernel_1"], merged], axis=1)
    narrow["from_hidden_2"] = tf.concat([weights["recurrent_kernel_2"], weights["output_kernel"]], axis=1)
    return {
        **{name: tf.cast(weight, compute_dtype) for name, weight in narrow.items()},
        "table": tf.matmul(weights["embedding"], weights["kernel_1"]) + weights["bias_1"],
        "merge_bias": weights["merge_bias"],
        "bias_2": weights["bias_2"],
        "output_bias": weights["output_bias"],
    }


class FoldedLRCN:
    """Has `start` and `step` of an `LRCNDecoder`, computed from folded weights.

    The state holds the hidden states as what the next word needs of them, their products with the recurrent
    kernels.

    Args:
        weights: of `fold_lrcn`.
    """

    def __init__(self, weights: Mapping[str, tf.Tensor]) -> None:
        self.weights = weights
        self.units = weights["kernel_2"].shape[0]

    def start(self, r: tf.Tensor) -> dict[str, tf.Tensor]:
        merged = self._product(r, "merge_r") + self.weights["merge_bias"]
        r_gates = self._product(merged, "kernel_2") + self.weights["bias_2"]
        cell = tf.zeros((tf.shape(r)[0], self.units))
        return {
            "r_gates": r_gates,
            "gates_1": tf.zeros_like(r_gates),
            "c_1": cell,
            "gates_2": r_gates,
            "c_2": cell,
        }

    def step(self, token: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        gates = 4 * self.units
        hidden, c_1 = lstm_cell(tf.gather(self.weights["table"], token) + state["gates_1"], state["c_1"])
        product = self._product(hidden, "from_hidden_1")
        gates_1, merged = product[:, :gates], product[:, gates:]
        hidden, c_2 = lstm_cell(merged + state["gates_2"], state["c_2"])
        product = self._product(hidden, "from_hidden_2")
        gates_2 = product[:, :gates] + state["r_gates"]
        logits = product[:, gates:] + self.weights["output_bias"]
        return logits, {
            "r_gates": state["r_gates"],
            "gates_1": gates_1,
            "c_1": c_1,
            "gates_2": gates_2,
            "c_2": c_2,
        }

    def _product(self, x: tf.Tensor, name: str) -> tf.Tensor:
        kernel = self.weights[name]
        return tf.cast(tf.matmul(tf.cast(x, kernel.dtype), kernel), tf.float32)
