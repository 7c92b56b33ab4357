"""A decoder so simple that what its words rest on can be worked out by hand."""

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf import ExplanationDecoder, ExplanationTokenizer, InterpNet


@keras.saving.register_keras_serializable(package="tests")
class OneWord(ExplanationDecoder):
    """Says "yes" with probability sigmoid(weights · r), else "no", whatever was said before."""

    def __init__(self, weights, **kwargs):
        super().__init__(6, **kwargs)
        self.of_r = list(weights)

    def build(self, input_shape):
        self.unused = self.add_weight((1,), name="unused")

    def call(self, inputs, training=None):
        yes = tf.linalg.matvec(inputs["r"], tf.constant(self.of_r, tf.float32))
        logits = tf.stack([tf.fill(tf.shape(yes), -1e9)] * 4 + [yes, tf.zeros_like(yes)], axis=-1)
        return tf.repeat(logits[:, None], tf.shape(inputs["tokens"])[1], axis=1)


def log_sigmoid(z):
    return -np.log1p(np.exp(-np.asarray(z, "float64")))


def says_yes(classifier, layers, weights, **options) -> InterpNet:
    tokenizer = ExplanationTokenizer(["yes", "no"])
    return InterpNet(classifier, tokenizer, layers, decoder=OneWord(weights), max_length=8, **options)


def chain() -> keras.Model:
    """Features (2,) → hidden, the first feature → probabilities, softmax of (hidden, 0)."""
    inputs = keras.Input((2,), name="features")
    hidden = keras.layers.Dense(1, name="hidden")
    output = keras.layers.Dense(2, "softmax", name="probabilities")
    classifier = keras.Model(inputs, output(hidden(inputs)))
    hidden.set_weights([np.array([[1.0], [0.0]]), np.zeros(1)])
    output.set_weights([np.array([[1.0, 0.0]]), np.zeros(2)])
    return classifier
