"""What the tests share: TensorFlow without its chatter, a tiny data set, tiny models."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest

from interpnet_tf import ExplanationDataset, ExplanationTokenizer, InterpNet, LRCNDecoder

SAID_OF = {
    "crow": ["a black bird with a long bill.", "this bird is black."],
    "gull": ["a white bird with a short bill."],
    "robin": ["a red bird.", "this red bird has a small head and a short bill."],
}


def bird_features(count: int, seed: int) -> ExplanationDataset:
    """Features `(count, 5)` whose first three tell the class; the last example has no explanation."""
    labels = np.arange(count) % 3
    inputs = np.eye(5, dtype="float32")[labels]
    inputs += np.random.default_rng(seed).normal(0, 0.1, inputs.shape).astype("float32")
    names = list(SAID_OF)
    explanations = [SAID_OF[names[label]] for label in labels]
    return ExplanationDataset(
        inputs, labels, names, [*explanations[:-1], []], [f"bird-{index}" for index in range(count)]
    )


def bird_classifier() -> keras.Model:
    """A classifier that knows the classes of `bird_features`: its weights pass the first features through."""
    classifier = keras.Sequential(
        [
            keras.Input((5,), name="features"),
            keras.layers.Dense(6, activation="relu", name="hidden_1"),
            keras.layers.Dense(3, activation="softmax", name="probabilities"),
        ]
    )
    classifier.set_weights([np.eye(5, 6) * 2, np.zeros(6), np.eye(6, 3) * 2, np.zeros(3)])
    return classifier


@pytest.fixture(scope="session")
def birds() -> ExplanationDataset:
    return bird_features(13, seed=0)


@pytest.fixture(scope="session")
def valid_birds() -> ExplanationDataset:
    return bird_features(7, seed=1)


@pytest.fixture(scope="session")
def make_model(birds):
    """Returns a function that builds a small, untrained `InterpNet`; arguments replace its own."""

    def make(classifier=None, dropout=0.0, **options) -> InterpNet:
        tokenizer = ExplanationTokenizer().adapt(birds.explanations)
        decoder = LRCNDecoder(
            tokenizer.vocabulary_size,
            embedding_dim=8,
            units=16,
            dropout=dropout,
            seed=options.get("seed", 0),
            dtype=options.get("dtype"),
        )
        classifier = classifier or bird_classifier()
        options = {"seed": 0, "class_names": birds.class_names, "decoder": decoder, **options}
        return InterpNet(classifier, tokenizer, **options)

    return make


@pytest.fixture(scope="session")
def trained(birds, make_model) -> InterpNet:
    """A model that has learned to explain `birds`. Shared: a test must not change it."""
    model = make_model()
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(birds, batch_size=20, epochs=60, verbose=0)
    return model
