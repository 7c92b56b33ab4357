"""The decoders' contract, and the LRCN decoder against Keras' own layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf import decoders
from interpnet_tf.decoders import ExplanationDecoder, LRCNDecoder
from interpnet_tf.testing import check_decoder_contract

R = np.random.default_rng(0).normal(size=(3, 7)).astype("float32")
TOKENS = np.random.default_rng(1).integers(1, 11, (3, 5)).astype("int32")
INPUTS = {"r": R, "tokens": TOKENS}


def small(**options) -> LRCNDecoder:
    return LRCNDecoder(11, **{"embedding_dim": 6, "units": 8, "seed": 0, **options})


def test_lrcn_meets_the_contract():
    check_decoder_contract(small(), width=7)


def test_lrcn_meets_the_contract_in_mixed_precision():
    check_decoder_contract(small(dtype="mixed_bfloat16"), width=7, tolerance=1e-2)


def test_lrcn_knows_the_shape_of_its_logits():
    assert small().compute_output_shape({"r": (3, 7), "tokens": (3, 5)}) == (3, 5, 11)


def test_lrcn_equals_keras_layers():
    """Embedding → LSTM → concatenate r, linear → LSTM → linear, built of `keras.layers`."""
    decoder = small()
    decoder(INPUTS)
    random = np.random.default_rng(2)
    for variable in decoder.trainable_variables:  # biases start at 0 and 1: make every weight count
        variable.assign(random.normal(0, 0.5, variable.shape))
    ours = decoder(INPUTS)
    weight = {variable.name: variable.numpy() for variable in decoder.trainable_variables}

    embedding = keras.layers.Embedding(11, 6)
    first, second = (keras.layers.LSTM(8, return_sequences=True) for _ in range(2))
    merge, output = keras.layers.Dense(8), keras.layers.Dense(11)

    def reference():
        hidden = first(embedding(TOKENS))
        repeated = keras.ops.repeat(R[:, None], TOKENS.shape[1], axis=1)
        return output(second(merge(keras.ops.concatenate([hidden, repeated], axis=-1))))

    reference()
    embedding.set_weights([weight["embedding"]])
    first.set_weights([weight["kernel_1"], weight["recurrent_kernel_1"], weight["bias_1"]])
    merge.set_weights([np.concatenate([weight["merge_words"], weight["merge_r"]]), weight["merge_bias"]])
    second.set_weights([weight["kernel_2"], weight["recurrent_kernel_2"], weight["bias_2"]])
    output.set_weights([weight["output_kernel"], weight["output_bias"]])
    np.testing.assert_allclose(ours, reference(), atol=1e-5)


def test_forget_gates_start_open():
    decoder = small()
    decoder(INPUTS)
    for bias in (decoder.bias_1, decoder.bias_2):
        np.testing.assert_array_equal(bias.numpy(), [0] * 8 + [1] * 8 + [0] * 16)


def test_equal_seeds_give_equal_weights_and_dropout():
    first, second, other = small(dropout=0.5), small(dropout=0.5), small(dropout=0.5, seed=1)
    logits = [decoder(INPUTS, training=True).numpy() for decoder in (first, second, other)]
    np.testing.assert_array_equal(logits[0], logits[1])
    assert np.abs(logits[0] - logits[2]).max() > 1e-3
    assert not np.array_equal(first.kernel_2.numpy(), first.recurrent_kernel_2.numpy())


def test_dropout_is_on_in_training_only():
    decoder = small(dropout=0.5)
    calm = decoder(INPUTS).numpy()
    np.testing.assert_array_equal(calm, decoder(INPUTS, training=False))
    assert np.abs(calm - decoder(INPUTS, training=True)).max() > 1e-3


def test_mixed_precision_keeps_weights_and_states_in_float32():
    decoder, exact = small(dtype="mixed_bfloat16"), small()
    exact(INPUTS)
    logits = decoder(INPUTS)
    assert {variable.dtype for variable in decoder.trainable_variables} == {"float32"}
    assert {part.dtype for part in decoder.start(tf.constant(R)).values()} == {tf.float32}
    assert 0 < np.abs(logits - exact(INPUTS)).max() < 0.02


def test_get():
    decoder = decoders.get("lrcn", vocabulary_size=11, units=8, seed=3)
    assert (type(decoder), decoder.units, decoder.seed) == (LRCNDecoder, 8, 3)
    assert decoders.get(decoder, vocabulary_size=11) is decoder


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: decoders.get("gru", 11), "one of .*'lrcn'.*, got 'gru'"),
        (lambda: decoders.get(LRCNDecoder(12), 11), "predicts 12 ids.*the tokenizer has 11"),
        (lambda: LRCNDecoder(4), "vocabulary_size must be at least 5.*got 4"),
        (lambda: LRCNDecoder(11, units=0), "units must be at least 1, got 0"),
        (lambda: LRCNDecoder(11, embedding_dim=0), "embedding_dim must be at least 1, got 0"),
        (lambda: LRCNDecoder(11, dropout=1.5), "(?i)rate|dropout"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("method", ["call", "start", "step"])
def test_a_subclass_is_told_what_it_lacks(method):
    arguments = {"call": (INPUTS,), "start": (R,), "step": (TOKENS[:, 0], {})}[method]
    with pytest.raises(NotImplementedError, match=f"ExplanationDecoder must implement {method}"):
        getattr(ExplanationDecoder(11), method)(*arguments)
