"""Mean gradients along a path in r: of any decoder from its call, and faster ones that must equal them."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf import ExplanationDecoder, LRCNDecoder, TransformerDecoder
from interpnet_tf.decoders.path_gradients import path_gradients

RANDOM = np.random.default_rng(0)
SENTENCES, WORDS, WIDTH = 3, 5, 7
BEGIN, END = RANDOM.normal(size=(2, SENTENCES, WIDTH)).astype("float32")
TOKENS, IDS = RANDOM.integers(1, 11, (2, SENTENCES, WORDS)).astype("int32")
LENGTHS = np.array([5, 2, 0], "int32")
POINTS, WEIGHTS = np.array([0.1, 0.5, 0.9], "float32"), np.array([0.2, 0.5, 0.3], "float32")
ARGUMENTS = tuple(map(tf.constant, (BEGIN, END, TOKENS, IDS, LENGTHS, POINTS, WEIGHTS)))


@functools.cache
def decoders() -> dict[str, ExplanationDecoder]:
    """Decoders with large weights, so that everything they read matters."""
    slices = {"hidden": (0, 4), "probabilities": (4, 7)}
    options = {"units": 8, "heads": 2, "max_length": 12, "slices": slices, "seed": 0}
    made = {
        "lrcn": LRCNDecoder(11, embedding_dim=6, units=8, seed=0),
        "lrcn in half precision": LRCNDecoder(11, embedding_dim=6, units=8, seed=0, dtype="mixed_bfloat16"),
        "transformer": TransformerDecoder(11, **options),
        "transformer of one block": TransformerDecoder(11, layers=1, **options),
        "transformer of three blocks": TransformerDecoder(11, layers=3, **options),
    }
    for decoder in made.values():
        decoder({"r": BEGIN, "tokens": TOKENS})
        random = np.random.default_rng(1)
        for variable in decoder.trainable_variables:
            variable.assign(random.normal(0, 0.7, variable.shape))
    return made


@pytest.mark.parametrize(
    ("name", "in_graph"),
    [
        *(("lrcn", False), ("lrcn", True), ("lrcn in half precision", True)),
        ("transformer", True),
        *(("transformer of one block", True), ("transformer of three blocks", True)),
    ],
)
def test_the_fast_way_equals_the_general_one(name, in_graph):
    decoder = decoders()[name]
    own, general = decoder.path_gradients, lambda *path: ExplanationDecoder.path_gradients(decoder, *path)
    if in_graph:
        own, general = tf.function(own), tf.function(general)
    for point in POINTS:  # and one beside it, as far apart ReLUs may open and close between them
        points = tf.constant([point, point + 1e-6])
        expected = general(*ARGUMENTS[:5], points, ARGUMENTS[6][:2]).numpy()
        assert np.abs(expected[0]).min() > 1e-6
        np.testing.assert_allclose(
            own(*ARGUMENTS[:5], points, ARGUMENTS[6][:2]), expected, rtol=1e-4, atol=1e-5
        )
        assert not expected[1, 2:].any()
        assert not expected[2].any()


def test_the_general_way_is_the_slope_of_the_log_probabilities():
    decoder = decoders()["lrcn"]
    found = ExplanationDecoder.path_gradients(decoder, *ARGUMENTS).numpy()[0, 3]

    def log_probability(r) -> float:
        logits = decoder({"r": tf.constant(r[None], tf.float32), "tokens": TOKENS[:1]})
        return float(tf.nn.log_softmax(logits)[0, 3, IDS[0, 3]])

    expected = np.zeros(WIDTH)
    for point, weight in zip(POINTS, WEIGHTS, strict=True):
        here = BEGIN[0] + point * (END[0] - BEGIN[0])
        for unit, step in enumerate(1e-2 * np.eye(WIDTH)):
            expected[unit] += weight * (log_probability(here + step) - log_probability(here - step)) / 2e-2
    np.testing.assert_allclose(found, expected, atol=3e-3)


def test_worked_out_by_hand():
    # Two ids with the logits r and 0: the log-probability of the first has the slope 1 - sigmoid(r).
    def read(r, tokens):
        logits = tf.concat([r, tf.zeros_like(r)], axis=1)
        return tf.repeat(logits[:, None], tf.shape(tokens)[1], axis=1)

    ids = tf.constant([[0, 1]])
    path = (tf.constant([[0.0]]), tf.constant([[2.0]]), ids, ids, tf.constant([2]))
    found = path_gradients(read, *path, tf.constant([0.0, 0.5]), tf.constant([0.25, 0.75]))
    slope = 0.25 * 0.5 + 0.75 / (1 + np.e)
    np.testing.assert_allclose(found.numpy()[0, :, 0], [slope, slope - 1], rtol=1e-5)


def test_sentences_without_words_give_zeros():
    lengths = tf.constant([0, 0, 0])
    for decoder in (decoders()["lrcn"], decoders()["transformer"]):
        arguments = (*ARGUMENTS[:4], lengths, *ARGUMENTS[5:])
        assert not decoder.path_gradients(*arguments).numpy().any()
        assert not ExplanationDecoder.path_gradients(decoder, *arguments).numpy().any()


def test_a_decoder_that_does_not_hear_r_has_no_gradients():
    @keras.saving.register_keras_serializable(package="tests")
    class Deaf(ExplanationDecoder):
        def call(self, inputs, training=None):
            return tf.one_hot(inputs["tokens"], 11)

    assert not Deaf(11).path_gradients(*ARGUMENTS).numpy().any()
