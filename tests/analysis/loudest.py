"""A model whose decoder can be followed by hand."""

import numpy as np
import tensorflow as tf

import interpnet_tf as itf

# With one feature of 1 the bird classifier gives its class the logit 4, the others 0.
CERTAIN = np.exp(4) / (np.exp(4) + 2)
OTHER = 1 / (np.exp(4) + 2)
CROW, GULL, ROBIN = np.eye(5, dtype="float32")[:3]


class Loudest(itf.ExplanationDecoder):
    """Says the same at each place: the logits are those of r(x) that its kernel lets through."""

    def build(self, input_shape):
        self.of_r = self.add_weight((input_shape["r"][-1], self.vocabulary_size), name="of_r")

    def call(self, inputs, training=None):
        places = tf.shape(inputs["tokens"])[1]
        return tf.tile((inputs["r"] @ self.of_r)[:, None], [1, places, 1])

    def start(self, r):
        return {"logits": r @ self.of_r}

    def step(self, token, state):
        return state["logits"], state


def loudest_model(make_model, birds, layers=("hidden_1", "probabilities")):
    """Returns a model that says a word thrice: logits are 6 times the first numbers of the last layer."""
    tokenizer = itf.ExplanationTokenizer().adapt(birds.explanations)
    decoder = Loudest(tokenizer.vocabulary_size)
    model = make_model(layers=list(layers), decoder=decoder, max_length=3)
    kernel = np.zeros((model.introspector.width, tokenizer.vocabulary_size))
    begin = model.introspector.slices[layers[-1]].start
    for row, word in enumerate(("black", "white", "red"), start=begin):
        kernel[row, tokenizer.tokenize([word]).to_list()[0][0]] = 6
    decoder.of_r.assign(kernel)
    return model
