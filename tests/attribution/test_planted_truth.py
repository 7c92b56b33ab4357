"""A network of which it is known where it keeps what: each method must name that layer first.

One layer alone carries the colour, another the size, and a decoder is trained to say both.
"""

import itertools

import keras
import numpy as np
import pytest

from interpnet_tf import ExplanationTokenizer, InterpNet, LRCNDecoder, TransformerDecoder

COLOURS, SIZES = ("red", "blue", "green"), ("small", "large")
BIRDS = list(itertools.product(range(len(COLOURS)), range(len(SIZES))))


def classifier() -> keras.Model:
    """Sees colour (three numbers) and size (two), which go through a layer each, and tells pairs apart."""
    inputs = keras.Input((5,), name="features")
    colour, size = (keras.layers.Dense(4, "relu", name=name) for name in ("colour", "size"))
    joined = keras.layers.Concatenate()([colour(inputs), size(inputs)])
    model = keras.Model(inputs, keras.layers.Dense(len(BIRDS), "softmax", name="probabilities")(joined))
    random = np.random.default_rng(0)
    sees_colour, sees_size = random.uniform(0.5, 1.5, (2, 5, 4))
    sees_colour[3:], sees_size[:3] = 0, 0
    # Each number of the layer stands out for another of the inputs.
    sees_colour[:3] *= 2 * np.eye(3, 4) + 0.1
    sees_size[3:] *= 2 * np.eye(2, 4) + 0.1
    colour.set_weights([sees_colour, np.zeros(4)])
    size.set_weights([sees_size, np.zeros(4)])
    return model


def lessons(count: int, seed: int) -> tuple[np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    birds = [BIRDS[index] for index in random.integers(len(BIRDS), size=count)]
    inputs = np.zeros((count, 5), "float32")
    for row, (colour, size) in zip(inputs, birds, strict=True):
        row[colour] = row[3 + size] = random.uniform(0.7, 1.3)
    return inputs, [f"a {SIZES[size]} {COLOURS[colour]} bird." for colour, size in birds]


@pytest.fixture(scope="module", params=["lrcn", pytest.param("transformer", marks=pytest.mark.slow)])
def model(request) -> InterpNet:
    inputs, sentences = lessons(120, seed=0)
    tokenizer = ExplanationTokenizer().adapt(sentences)
    size = tokenizer.vocabulary_size
    if request.param == "lrcn":
        decoder = LRCNDecoder(size, embedding_dim=8, units=16, seed=0)
    else:
        decoder = TransformerDecoder(size, layers=1, units=16, heads=2, tokens_per_layer=1, seed=0)
    model = InterpNet(classifier(), tokenizer, ["colour", "size"], decoder, seed=0)
    model.compile(keras.optimizers.Adam(0.03))
    model.fit(inputs, [[sentence] for sentence in sentences], batch_size=40, epochs=30, verbose=0)
    return model


@pytest.mark.parametrize("method", ["integrated_gradients", "layer_ablation", "shapley"])
def test_the_layer_that_carries_an_attribute_is_named_first(model, method):
    inputs, sentences = lessons(40, seed=1)
    said = model.explain(inputs)
    assert [one.text for one in said] == sentences  # else there is nothing to be named
    found = model.attribute(inputs, said, method=method)
    for word, carrier in ((1, "size"), (2, "colour")):
        first = [one.layers[one.scores[word].argmax()] for one in found]
        assert np.mean([layer == carrier for layer in first]) >= 0.95


def test_integrated_gradients_are_complete(model):
    inputs, _ = lessons(40, seed=1)
    errors = np.concatenate([one.relative_error for one in model.attribute(inputs)])
    assert np.mean(errors <= 0.02) >= 0.95
