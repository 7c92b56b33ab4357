"""The check that every `ExplanationDecoder` must pass."""

import json

import keras
import numpy as np
import tensorflow as tf

BATCH, WORDS = 3, 6


def check_decoder_contract(decoder, width: int, tolerance: float = 1e-5) -> None:
    """Asserts what generation, training and saving rely on.

    Args:
        decoder: a decoder of at most moderate size, built or not.
        width: length of r(x).
        tolerance: by how much equal logits may differ.
    """
    random = np.random.default_rng(0)
    r = random.normal(size=(BATCH, width)).astype("float32")
    tokens = random.integers(1, decoder.vocabulary_size, (BATCH, WORDS)).astype("int32")
    tokens[:, 0] = 1
    logits = decoder({"r": r, "tokens": tokens})
    assert logits.shape == (BATCH, WORDS, decoder.vocabulary_size)
    assert logits.dtype == tf.float32
    assert decoder.compute_output_shape({"r": r.shape, "tokens": tokens.shape}) == logits.shape

    def same(actual, expected) -> None:
        np.testing.assert_allclose(actual, expected, atol=tolerance, rtol=tolerance)

    _check_steps(decoder, r, tokens, logits, same)
    _check_rows_are_independent(decoder, r, tokens, logits, same)
    _check_words_to_come_do_not_matter(decoder, r, tokens, logits, same)
    _check_config(decoder, r, tokens, logits, same)
    _check_gradients(decoder, r, tokens)


def _check_steps(decoder, r, tokens, logits, same) -> None:
    state = decoder.start(tf.constant(r))
    for word in range(WORDS):
        step_logits, new_state = decoder.step(tf.constant(tokens[:, word]), state)
        assert step_logits.dtype == tf.float32
        same(step_logits, logits[:, word])
        # A loop in a graph needs a state that keeps its form.
        assert new_state.keys() == state.keys()
        for name, part in state.items():
            assert part.shape[0] == BATCH, name
            assert (new_state[name].shape, new_state[name].dtype) == (part.shape, part.dtype), name
        state = new_state


def _check_rows_are_independent(decoder, r, tokens, logits, same) -> None:
    for row in range(BATCH):
        alone = decoder({"r": r[row : row + 1], "tokens": tokens[row : row + 1]})
        same(alone[0], logits[row])
    assert np.abs(logits[0, 0] - logits[1, 0]).max() > 1e-4, "r(x) does not reach the first word's logits"


def _check_words_to_come_do_not_matter(decoder, r, tokens, logits, same) -> None:
    padded = np.pad(tokens, [(0, 0), (0, 4)])
    same(decoder({"r": r, "tokens": padded})[:, :WORDS], logits)
    for word in range(1, WORDS):
        changed = tokens.copy()
        changed[:, word] = changed[:, word] % (decoder.vocabulary_size - 1) + 1
        same(decoder({"r": r, "tokens": changed})[:, :word], logits[:, :word])


def _check_config(decoder, r, tokens, logits, same) -> None:
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(decoder)))
    again = keras.saving.deserialize_keras_object(serialized)
    assert type(again) is type(decoder)
    assert again.get_config() == decoder.get_config()
    again({"r": r, "tokens": tokens})
    again.set_weights(decoder.get_weights())
    same(again({"r": r, "tokens": tokens}), logits)


def _check_gradients(decoder, r, tokens) -> None:
    with tf.GradientTape() as tape:
        logits = decoder({"r": r, "tokens": tokens[:, :-1]}, training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tokens[:, 1:], logits=logits)
        loss = tf.reduce_mean(losses)
    weights = decoder.trainable_variables
    assert weights
    for weight, gradient in zip(weights, tape.gradient(loss, [w.value for w in weights]), strict=True):
        assert gradient is not None, f"{weight.path} gets no gradient"
        values = tf.convert_to_tensor(gradient).numpy()
        assert np.isfinite(values).all(), f"the gradient of {weight.path} is not finite"
        assert np.any(values), f"the gradient of {weight.path} is zero"
