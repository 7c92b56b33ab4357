"""`FusedAdam` against `keras.optimizers.Adam`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf.fitting.optimizers import FusedAdam

START = [np.linspace(-1, 1, 12).reshape(4, 3), np.ones(5)]


def gradients(step: int) -> list:
    """A sparse gradient, of rows 3 and 1 only, and a dense one."""
    random = np.random.default_rng(step)
    rows = tf.constant(random.normal(size=(2, 3)), tf.float32)
    sparse = tf.IndexedSlices(rows, tf.constant([3, 1]), tf.constant([4, 3]))
    return [sparse, tf.constant(random.normal(size=5), tf.float32)]


def train(optimizer, steps: int, in_graph: bool = False) -> list[np.ndarray]:
    weights = [keras.Variable(start, dtype="float32") for start in START]
    optimizer.build(weights)

    def apply(first, second):
        optimizer.apply([first, second], weights)

    apply = tf.function(apply) if in_graph else apply
    for step in range(steps):
        apply(*gradients(step))
    return [weight.numpy() for weight in weights]


@pytest.mark.parametrize("in_graph", [False, True], ids=["eager", "graph"])
def test_equals_keras(in_graph):
    expected = train(keras.optimizers.Adam(0.01), 5, in_graph)
    for ours, keras_own in zip(train(FusedAdam(0.01), 5, in_graph), expected, strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=1e-6)


def test_a_word_that_occurs_twice_counts_as_one_gradient():
    # The gradients of the two occurrences add up to 2: the first step is the rate times 2 / sqrt(2²).
    # Keras' own Adam puts 1² + 1² under the root.
    weight = keras.Variable([[0.0], [0.0]])
    optimizer = FusedAdam(0.1)
    optimizer.build([weight])
    twice = tf.IndexedSlices(tf.constant([[1.0], [1.0]]), tf.constant([0, 0]), tf.constant([2, 1]))
    optimizer.apply([twice], [weight])
    np.testing.assert_allclose(weight.numpy(), [[-0.1], [0]], atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
        {"weight_decay": 0.1},
        {"global_clipnorm": 0.5},
        {"amsgrad": True},
        {"use_ema": True, "ema_overwrite_frequency": 2},
        {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.01, 1, 0.5)},
    ],
    ids=lambda options: next(iter(options)),
)
def test_equals_keras_with(options):
    expected = train(keras.optimizers.Adam(**options), 4)
    for ours, keras_own in zip(train(FusedAdam(**options), 4), expected, strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=1e-6)


def test_the_update_is_one_kernel_a_weight():
    weights = [keras.Variable(start, dtype="float32") for start in START]
    optimizer = FusedAdam()
    optimizer.build(weights)
    graph = tf.function(lambda: optimizer.apply(gradients(0), weights)).get_concrete_function().graph
    assert [operation.type for operation in graph.get_operations()].count("ResourceApplyAdam") == 2


def test_first_step_by_hand():
    # Bias-corrected moments of the first gradient g are g and g²: the step is the rate times g / (|g| + ε).
    weight = keras.Variable([1.0, 1.0])
    optimizer = FusedAdam(0.1)
    optimizer.build([weight])
    optimizer.apply([tf.constant([2.0, -0.5])], [weight])
    np.testing.assert_allclose(weight.numpy(), [0.9, 1.1], atol=1e-6)


def test_goes_on_after_saving_as_if_nothing_had_happened(tmp_path):
    tokens = np.array([[1, 3], [2, 0]])  # each word once: see above
    labels = np.array([0, 1])

    def model(optimizer):
        network = keras.Sequential(
            [
                keras.Input((2,), dtype="int32"),
                keras.layers.Embedding(5, 4, embeddings_initializer=keras.initializers.RandomUniform(seed=0)),
                keras.layers.Flatten(),
                keras.layers.Dense(2, "softmax", kernel_initializer=keras.initializers.GlorotUniform(seed=0)),
            ]
        )
        network.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=True)
        return network

    uninterrupted = model(keras.optimizers.Adam(0.01))
    uninterrupted.fit(tokens, labels, epochs=4, shuffle=False, verbose=0)

    first_half = model(FusedAdam(0.01))
    first_half.fit(tokens, labels, epochs=2, shuffle=False, verbose=0)
    first_half.save(tmp_path / "half.keras")
    second_half = keras.saving.load_model(tmp_path / "half.keras")
    assert isinstance(second_half.optimizer, FusedAdam)
    assert int(second_half.optimizer.iterations) == 2
    second_half.compile(second_half.optimizer, second_half.loss, run_eagerly=True)
    second_half.fit(tokens, labels, epochs=2, shuffle=False, verbose=0)
    for ours, expected in zip(second_half.get_weights(), uninterrupted.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
