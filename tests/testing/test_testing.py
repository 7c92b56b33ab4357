"""The contract's check passes a decoder of one's own, and finds each promise that another one breaks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf.decoders import ExplanationDecoder
from interpnet_tf.generation import Decoding, generate
from interpnet_tf.testing import check_decoder_contract
from interpnet_tf.testing import decoder_contract as testing


class Counting(ExplanationDecoder):
    """A small decoder whose state matters: it adds up what it has read."""

    def build(self, input_shape):
        self.of_word = keras.layers.Embedding(self.vocabulary_size, 6)
        self.of_r = keras.layers.Dense(6)
        self.output_layer = keras.layers.Dense(self.vocabulary_size)
        self.of_word.build(input_shape["tokens"])
        self.of_r.build(input_shape["r"])
        self.output_layer.build((None, None, 6))

    def call(self, inputs, training=None):
        read = tf.cumsum(self.of_word(inputs["tokens"]), axis=1)
        return self.output_layer(tf.tanh(read + self.of_r(inputs["r"])[:, None]))

    def start(self, r):
        return {"sum": self.of_r(r)}

    def step(self, token, state):
        read = state["sum"] + self.of_word(token)
        return self.output_layer(tf.tanh(read)), {"sum": read}


register = keras.saving.register_keras_serializable(package="tests")


@register
class Correct(Counting):
    pass


@register
class Short(Counting):
    max_length = 3


@pytest.mark.parametrize("kind", [Correct, Short])
def test_a_correct_decoder_passes_and_keeps_its_weights(kind):
    decoder = kind(11)
    decoder({"r": np.ones((1, 7), "float32"), "tokens": np.ones((1, 2), "int32")})
    before = decoder.get_weights()
    check_decoder_contract(decoder, width=7)
    for weight, expected in zip(decoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)


# Broken decoders


@register
class LooksAhead(Counting):
    def call(self, inputs, training=None):
        later = tf.reduce_mean(tf.cast(inputs["tokens"], tf.float32), axis=1)
        return super().call(inputs) + 1e-3 * tf.stack([later] * 11, axis=-1)[:, None]


@register
class SeesPadding(Counting):
    def call(self, inputs, training=None):
        return super().call(inputs) * (1 + 0.01 * tf.cast(tf.shape(inputs["tokens"])[1], tf.float32))


@register
class MixesRows(Counting):
    def call(self, inputs, training=None):
        r = inputs["r"]
        return super().call({**inputs, "r": r - tf.reduce_mean(r, axis=0)})


@register
class IgnoresR(Counting):
    def call(self, inputs, training=None):
        return super().call({**inputs, "r": tf.zeros_like(inputs["r"])})


@register
class HalfPrecision(Counting):
    def call(self, inputs, training=None):
        return tf.cast(super().call(inputs), tf.bfloat16)


@register
class Forgetful(Counting):
    def step(self, token, state):
        return super().step(token, state)[0], state


@register
class GrowingState(Counting):
    def start(self, r):
        return {"words": self.of_r(r)[:, None]}

    def step(self, token, state):
        words = tf.concat([state["words"], self.of_word(token)[:, None]], axis=1)
        return self.output_layer(tf.tanh(tf.reduce_sum(words, axis=1))), {"words": words}


@register
class RemembersR(Counting):
    """Keeps r on itself, where no beam and no second sentence finds it."""

    def start(self, r):
        self.r = self.of_r(r)
        return {"sum": tf.zeros_like(self.r)}

    def step(self, token, state):
        read = state["sum"] + self.of_word(token)
        return self.output_layer(tf.tanh(read + self.r)), {"sum": read}


@register
class FoldsOtherWeights(Counting):
    def fold(self):
        return {"doubled": 2 * tf.convert_to_tensor(self.of_word.embeddings)}

    def folded(self, weights):
        other = Counting(self.vocabulary_size)
        other.of_r, other.output_layer = self.of_r, self.output_layer
        other.of_word = lambda token: tf.gather(weights["doubled"], token)
        return other


@register
class ShorterThanItSays(Counting):
    max_length = 12

    def check_length(self, max_length):
        pass


class Unregistered(Counting):
    pass


@register
class ConfigLacksAnArgument(Counting):
    def __init__(self, vocabulary_size, factor=1.0, **kwargs):
        super().__init__(vocabulary_size, **kwargs)
        self.factor = factor

    def call(self, inputs, training=None):
        return super().call(inputs) * self.factor

    def step(self, token, state):
        logits, state = super().step(token, state)
        return logits * self.factor, state


@register
class WeightWithoutGradient(Counting):
    def build(self, input_shape):
        super().build(input_shape)
        self.unused = self.add_weight((2,), name="unused")


@register
class NumpyInStep(Counting):
    def step(self, token, state):
        return super().step(tf.constant(token.numpy()), state)


@register
class NotBuilt(Counting):
    """Makes its layers in the constructor and leaves it to the first call to build them."""

    def __init__(self, vocabulary_size, **kwargs):
        super().__init__(vocabulary_size, **kwargs)
        self.of_word = keras.layers.Embedding(self.vocabulary_size, 6)
        self.of_r = keras.layers.Dense(6)
        self.output_layer = keras.layers.Dense(self.vocabulary_size)

    build = keras.layers.Layer.build


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        (HalfPrecision(11), "call gives float32 logits.*its type is bfloat16"),
        (LooksAhead(11), "depend on no word after it.*logits differ by up to"),
        (SeesPadding(11), "depend on no word after it.*with more padding, logits differ"),
        (MixesRows(11), "on no other row.*alone and in a batch, logits of row 0 differ"),
        (IgnoresR(11), "on no other row.*does not reach the first word's logits"),
        (Forgetful(11), "step gives, word by word.*after word 1, logits of step and call differ"),
        (GrowingState(11), r"keep the shapes.*'words' becomes \(3, 2, 6\) float32 from \(3, 1, 6\)"),
        (RemembersR(11), "rows of a state can be reordered"),
        (FoldsOtherWeights(11), "folded makes of the weights.*after word 0, logits of step and call differ"),
        (ShorterThanItSays(11), r"reads max_length words and no more.*check_length\(13\) raises no"),
        (Unregistered(11), "registered with Keras.*Unregistered"),
        (ConfigLacksAnArgument(11, factor=2.0), "get_config and build make it again.*logits differ"),
        (WeightWithoutGradient(11), "every trainable weight gets.*unused gets none"),
        (NumpyInStep(11), "generate does the same in a graph.*numpy"),
        (NotBuilt(11), "build make it again.*build makes 0 of its 5 weights"),
        (ExplanationDecoder(11), r"must implement call"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ExplanationDecoder) else "",
)
def test_a_broken_promise_is_named(decoder, message):
    with pytest.raises(AssertionError, match=f"(?s)broken promise: .*{message}"):
        check_decoder_contract(decoder, width=7)


def drawn(decoder, r, length):
    return generate(decoder, r, length, Decoding("top_k", temperature=9.0), seed=(3, 4))


def drawn_alone(decoder, r, length):
    return (drawn if r.shape[0] == 1 else generate)(decoder, r, length)


def drawn_in_a_graph(decoder, r, length):
    return (drawn if tf.inside_function() else generate)(decoder, r, length)


@pytest.mark.parametrize(
    ("replacement", "message"),
    [
        (drawn, "greedy generate says what call finds most probable"),
        (drawn_alone, "its rows one by one; but of row 0 alone it says"),
        (drawn_in_a_graph, "in a graph.*; but in a graph it says"),
    ],
    ids=["greedy", "rows", "graph"],
)
def test_a_generation_that_says_other_words_is_found(monkeypatch, replacement, message):
    monkeypatch.setattr(testing, "generate", replacement)
    with pytest.raises(AssertionError, match=f"broken promise: .*{message}"):
        check_decoder_contract(Correct(11), width=7)


def test_a_decoder_that_generation_cannot_use_is_refused():
    class OneWord(Counting):
        max_length = 2

    with pytest.raises(ValueError, match="max_length of at least 3, got 2"):
        check_decoder_contract(OneWord(11), width=7)
