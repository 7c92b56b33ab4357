"""`Introspector.intervene`: activations are replaced, what lies behind them follows, nothing else changes."""

import functools
import threading

import classifier_kinds
import hypothesis
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import tensorflow as tf
from classifier_kinds import KINDS
from tensorflow.python.framework.func_graph import FuncGraph

from interpnet_tf.classifiers import mlp, small_cnn
from interpnet_tf.introspection import interventions
from interpnet_tf.introspection.graph import activation_paths
from interpnet_tf.introspection.introspector import Introspector

L, ops = keras.layers, keras.ops
X = np.array([[1.0, 2.0], [0.0, 1.0]], "float32")


def dense(name: str, kernel: list, activation: str | None = None) -> L.Layer:
    """A layer of this kernel, without bias."""
    constant = keras.initializers.Constant(np.array(kernel, "float32"))
    return L.Dense(len(kernel[0]), activation, use_bias=False, kernel_initializer=constant, name=name)


def chain() -> Introspector:
    """x = (1, 2) → first = (1 + 2, 1 - 2) = (3, -1) → second = (6, -2) → sum = 4."""
    x = keras.Input((2,), name="x")
    first = dense("first", [[1, 1], [1, -1]])(x)
    second = dense("second", [[2, 0], [0, 2]])(first)
    return Introspector(keras.Model(x, dense("sum", [[1], [1]])(second)), ["x", "first", "second", "sum"])


def values(outputs: dict) -> dict:
    return {path: np.asarray(value).tolist() for path, value in outputs.items()}


# ---------------------------------------------------------------- what follows, and what stays


def test_by_hand():
    introspector = chain()
    assert values(introspector(X))["r"] == [[1, 2, 3, -1, 6, -2, 4], [0, 1, 1, -1, 2, -2, 0]]
    replaced = introspector.intervene(X, {"first": np.array([[5.0, 1.0], [-1.0, 0.0]])})
    assert values(replaced) == {
        "x": [[1, 2], [0, 1]],
        "first": [[5, 1], [-1, 0]],
        "second": [[10, 2], [-2, 0]],
        "sum": [[12], [-2]],
        "r": [[1, 2, 5, 1, 10, 2, 12], [0, 1, -1, 0, -2, 0, -2]],
    }
    assert {path: (value.dtype, value.shape) for path, value in replaced.items()} == {
        path: (value.dtype, value.shape) for path, value in introspector(X).items()
    }


@pytest.mark.parametrize(
    "one",
    [[7, 0], [[7, 0]], np.array([7, 0], "float64"), tf.constant([[7, 0]]), tf.Variable([7.0, 0.0])],
    ids=["list", "batch of one", "float64", "integers", "variable"],
)
def test_one_activation_for_all_examples(one):
    outputs = values(chain().intervene(X, {"second": one}))
    assert (outputs["second"], outputs["sum"]) == ([[7, 0], [7, 0]], [[7], [7]])
    assert outputs["first"] == [[3, -1], [1, -1]]


def test_a_function_gets_what_is_replaced_before_it():
    outputs = values(chain().intervene(X, {"second": lambda a: a + 1, "first": lambda a: -a}))
    assert outputs["first"] == [[-3, 1], [-1, 1]]
    assert outputs["second"] == [[-5, 3], [-1, 3]]  # twice the first, and 1
    assert outputs["sum"] == [[-2], [2]]


def test_a_layer_between_two_replacements_is_computed():
    outputs = values(chain().intervene(X, {"first": [1, 1], "sum": lambda a: 10 * a}))
    assert (outputs["second"], outputs["sum"]) == ([[2, 2]] * 2, [[40]] * 2)


def test_a_branch_beside_stays():
    x = keras.Input((2,), name="x")
    left, right = dense("left", [[1], [0]])(x), dense("right", [[0], [1]])(x)
    model = keras.Model(x, L.Add(name="sum")([left, L.ReLU(name="kept")(right)]))
    outputs = values(Introspector(model, ["left", "right", "sum"]).intervene(X, {"left": [[10], [20]]}))
    assert outputs["right"] == [[2], [1]]
    assert outputs["sum"] == [[12], [21]]


def test_replacing_the_output_itself():
    assert values(chain().intervene(X, {"sum": [3]}))["r"] == [
        [1, 2, 3, -1, 6, -2, 3],
        [0, 1, 1, -1, 2, -2, 3],
    ]


def test_layers_that_are_not_part_of_r():
    introspector = Introspector(chain().classifier, "first")
    assert set(introspector.intervene(X, {"second": [1, 2]})) == {"first", "r"}
    outputs = values(introspector.intervene(X, {"second": [1, 2]}, also=["sum", "x", "second"]))
    assert outputs == {
        "first": [[3, -1], [1, -1]],
        "x": X.tolist(),
        "second": [[1, 2]] * 2,
        "sum": [[3]] * 2,
        "r": [[3, -1], [1, -1]],
    }
    assert values(introspector.intervene(X, {}, also="sum"))["sum"] == [[4], [0]]
    assert values(introspector.intervene(X, {})) == values(introspector(X))


def nested_classifier() -> keras.Model:
    """Outer x → middle/inner/first (3, -1) → middle/inner/second (6, -2) → middle/relu (6, 0) → sum."""
    inner = keras.Sequential([keras.Input((2,), name="a"), *chain().classifier.layers[1:3]], name="inner")
    x = keras.Input((2,), name="b")
    middle = keras.Model(x, L.ReLU(name="relu")(inner(x)), name="middle")
    return keras.Sequential([keras.Input((2,), name="x"), middle, dense("sum", [[1], [1]])])


@pytest.mark.parametrize(
    ("replacements", "expected"),
    [
        ({}, [6, -2, 6, 0, 6]),
        ({"middle/inner/first": [1, 2]}, [2, 4, 2, 4, 6]),
        ({"middle/inner/second": [1, 2]}, [1, 2, 1, 2, 3]),
        ({"middle/inner": [-1, 2]}, [6, -2, 0, 2, 2]),  # within stays
        ({"middle/relu": [1, 1]}, [6, -2, 1, 1, 2]),
        ({"middle": [1, 1]}, [6, -2, 1, 1, 2]),
        ({"middle/b": [0, 1]}, [2, -2, 2, 0, 2]),
        ({"middle/inner/a": [0, 1]}, [2, -2, 2, 0, 2]),
        ({"x": [0, 1]}, [2, -2, 2, 0, 2]),
        ({"middle/inner/second": lambda a: a + 2, "middle": lambda a: 2 * a}, [8, 0, 16, 0, 16]),
    ],
)
def test_nested_models(replacements, expected):
    introspector = Introspector(nested_classifier(), ["middle/inner/second", "middle", "sum"])
    assert values(introspector.intervene(X[:1], replacements))["r"] == [expected]


def test_a_nested_model_that_passes_its_input_on():
    x = keras.Input((2,), name="a")
    passing = keras.Model(x, [x, L.ReLU(name="relu")(x)], name="passing")
    outer = keras.Input((2,), name="x")
    model = keras.Model(outer, L.Concatenate(name="both")(passing(outer)))
    introspector = Introspector(model, ["both"])
    assert values(introspector.intervene(X[:1], {"passing/a": [-1, 1]}))["r"] == [[-1, 1, 0, 1]]
    assert values(introspector.intervene(X[:1], {"passing/relu": [-1, 1]}))["r"] == [[1, 2, -1, 1]]


# ---------------------------------------------------------------- layers that are called several times


def test_a_shared_layer_is_replaced_in_its_last_call():
    x, shared = keras.Input((2,), name="x"), dense("shared", [[1, 1], [1, -1]])
    model = keras.Model(x, dense("sum", [[1], [1]])(shared(L.ReLU(name="relu")(shared(x)))))
    introspector = Introspector(model, ["relu", "shared", "sum"])
    assert values(introspector(X[:1]))["r"] == [[3, 0, 3, 3, 6]]
    assert values(introspector.intervene(X[:1], {"shared": [5, 0]}))["r"] == [[3, 0, 5, 0, 5]]


def test_a_shared_nested_model_is_replaced_in_its_last_call():
    a, x = keras.Input((2,), name="a"), keras.Input((2,), name="x")
    tower = keras.Model(a, L.ReLU(name="relu")(dense("inner", [[1, 1], [1, -1]])(a)), name="tower")
    first = L.Identity(name="first")(tower(x))  # (3, 0)
    introspector = Introspector(keras.Model(x, tower(first)), ["first", "tower/inner", "tower"])
    assert values(introspector(X[:1]))["r"] == [[3, 0, 3, 3, 3, 3]]
    assert values(introspector.intervene(X[:1], {"tower/inner": [5, -5]}))["r"] == [[3, 0, 5, -5, 5, 0]]
    assert values(introspector.intervene(X[:1], {"tower": [8, 9]}))["r"] == [[3, 0, 3, 3, 8, 9]]


def test_the_call_that_is_replaced_is_the_one_that_is_shown():
    """Both calls lie equally deep in the classifier, and not in the introspector."""
    one, other = keras.Input((2,), name="one"), keras.Input((2,), name="other")
    shared = dense("shared", [[1], [1]])
    difference = L.Subtract(name="difference")([shared(one), shared(other)])
    introspector = Introspector(keras.Model([one, other], difference), ["shared", "difference"])
    x = [X, np.zeros_like(X)]
    shown = np.asarray(introspector(x)["shared"])
    moved = np.asarray(introspector.intervene(x, {"shared": shown + 10})["difference"])
    expected = 10 if np.array_equal(shown, [[3], [1]]) else -10  # of the first or of the second call
    np.testing.assert_array_equal(moved, [[3 + expected], [1 + expected]])


# ---------------------------------------------------------------- inputs, sequences, maps, precision


@pytest.mark.parametrize("structure", [dict, list])
def test_several_inputs(structure):
    left, right = keras.Input((2,), name="left"), keras.Input((1,), name="right")
    both = L.Concatenate(name="both")([left, right])
    inputs = {"left": left, "right": right} if structure is dict else [left, right]
    model = keras.Model(inputs, dense("sum", [[1], [1], [1]])(both))
    x = {"left": X, "right": X[:, :1]} if structure is dict else [X, X[:, :1]]
    introspector = Introspector(model, ["left", "right", "sum"])
    outputs = introspector.intervene(x, {"right": [[10], [20]]})
    assert values(outputs)["r"] == [[1, 2, 10, 13], [0, 1, 20, 21]]


def masked_classifier() -> keras.Model:
    ids = keras.Input((None,), dtype="int32", name="ids")
    words = L.Embedding(9, 2, mask_zero=True, name="words")(ids)
    mean = L.GlobalAveragePooling1D(name="mean")(L.Dense(2, name="dense")(words))
    return keras.Model(ids, L.Dense(2, "softmax", name="p")(mean))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.filterwarnings("error")  # Keras warns where a mask gets lost
def test_padding_does_not_count_in_what_is_replaced(nested):
    model, prefix = masked_classifier(), ""
    if nested:
        ids = keras.Input((None,), dtype="int32", name="outer")
        prefix, model = f"{model.name}/", keras.Model(ids, model(ids))
    introspector = Introspector(model, [f"{prefix}words", f"{prefix}mean"])
    layer = model.get_layer(prefix[:-1]).get_layer("dense") if nested else model.get_layer("dense")
    layer.set_weights([np.eye(2), np.zeros(2)])
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    steps = np.array([[[1, 2], [3, 4], [100, 100]], [[5, 6], [100, 100], [100, 100]]], "float32")
    outputs = introspector.intervene(ids, {f"{prefix}words": steps})
    assert values(outputs)["r"] == [[2, 3, 2, 3], [5, 6, 5, 6]]
    outputs = introspector.intervene(ids, {f"{prefix}dense": steps})
    np.testing.assert_array_equal(outputs[f"{prefix}mean"], [[2, 3], [5, 6]])


def test_a_mask_that_is_made_of_the_replacement():
    steps = keras.Input((3, 1), name="steps")
    mean = L.GlobalAveragePooling1D(name="mean")(L.Masking(name="masking")(steps))
    introspector = Introspector(keras.Model(steps, mean), ["steps", "mean"])
    outputs = introspector.intervene(np.ones((1, 3, 1)), {"steps": np.array([[2.0], [4.0], [0.0]])})
    assert values(outputs)["r"] == [[3, 3]]


def test_the_mask_of_one_run_stays_with_it():
    """Keras notes padding on the tensors; an activation of other examples brings its own along."""
    introspector = Introspector(masked_classifier(), ["words", "mean"])
    words = introspector(np.array([[1, 2, 3], [1, 0, 0]]))["words"]
    outputs = introspector.intervene(np.array([[1, 0, 0], [1, 2, 3]]), {"words": words})
    np.testing.assert_allclose(outputs["r"][1, :2], np.mean(words[1], axis=0), rtol=1e-5)
    again = introspector.intervene(np.array([[1, 2, 3], [1, 0, 0]]), {"words": words})
    np.testing.assert_allclose(again["r"], introspector(np.array([[1, 2, 3], [1, 0, 0]]))["r"], rtol=1e-5)


def test_channels_first():
    maps = keras.Input((2, 3, 3), name="maps")
    x = L.BatchNormalization(axis=1, epsilon=0, name="norm")(maps)
    pooled = L.GlobalAveragePooling2D(data_format="channels_first", name="pool")(x)
    introspector = Introspector(keras.Model(maps, pooled), ["norm", "pool"])
    replacement = np.stack([np.full((3, 3), 4.0), np.arange(9.0).reshape(3, 3)])  # means 4 and 4
    outputs = introspector.intervene(np.zeros((1, 2, 3, 3)), {"norm": replacement})
    np.testing.assert_array_equal(outputs["r"], [[4, 4, 4, 4]])


def test_maps_are_pooled_by_the_same_layer():
    pooling = L.GlobalMaxPooling2D()
    introspector = Introspector(small_cnn((16, 16, 3), 3, (4,)), ["block_1"], pooling=pooling)
    images = np.zeros((2, 16, 16, 3), "float32")
    shape = introspector(images)["block_1"].shape
    replacement = np.random.default_rng(0).normal(size=shape)
    outputs = introspector.intervene(images, {"block_1": replacement})
    np.testing.assert_allclose(outputs["r"], replacement.max(axis=(1, 2)), rtol=1e-6)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_stays(precision):
    x = keras.Input((2,), name="x")
    hidden = L.Dense(2, name="hidden", dtype=f"mixed_{precision}")(x)
    introspector = Introspector(keras.Model(x, L.Dense(2, "softmax", name="p")(hidden)), ["hidden", "p"])
    outputs = introspector.intervene(X, {"hidden": np.array([0.5, 2.0])})
    assert (outputs["hidden"].dtype.name, outputs["r"].dtype.name) == (precision, "float32")
    np.testing.assert_array_equal(outputs["r"][:, :2], [[0.5, 2], [0.5, 2]])
    doubled = introspector.intervene(X, {"hidden": lambda a: tf.cast(a, tf.float32) * 0 + 1})
    assert doubled["hidden"].dtype.name == precision


def test_inference_mode():
    x = keras.Input((2,), name="x")
    noisy = L.Dropout(0.9, name="dropout")(L.Identity(name="here")(x), training=True)
    norm = L.BatchNormalization(epsilon=0, name="norm")(noisy)
    introspector = Introspector(keras.Model(x, norm), ["dropout", "norm"])

    class Outer(keras.layers.Layer):
        def call(self, inputs, training=None):
            return introspector.intervene(inputs, {"here": [1, 2]})

    for outputs in (introspector.intervene(X, {"here": [1, 2]}), Outer()(X, training=True)):
        np.testing.assert_array_equal(outputs["r"], [[1, 2, 1, 2]] * 2)


# ---------------------------------------------------------------- graphs and gradients


def test_a_graph_is_built_where_a_path_is_new(monkeypatch):
    introspector, built = chain(), []
    build = interventions.trace
    monkeypatch.setattr(interventions, "trace", lambda *args: built.append(args) or build(*args))
    introspector.intervene(X, {"first": [1, 2]})
    introspector.intervene(X, {"second": [1, 2], "first": [0, 0]})
    assert len(built) == 2
    made, initialize = [], FuncGraph.__init__
    monkeypatch.setattr(
        FuncGraph, "__init__", lambda *args, **kw: made.append(args) or initialize(*args, **kw)
    )
    for paths in (["first"], ["second"], ["first", "second"], []):
        for size in (1, 2):
            introspector.intervene(X[:size], dict.fromkeys(paths, lambda a: a))
            introspector.intervene(X[:size], {path: [0, 0] for path in paths}, also=["second"])
    assert (len(built), len(made)) == (2, 0)


def test_functions_are_not_remembered():
    introspector = chain()
    for factor in (2, 3, 5):
        outputs = introspector.intervene(X[:1], {"first": lambda a, factor=factor: factor * a})
        assert values(outputs)["first"] == [[3 * factor, -factor]]
    assert values(introspector.intervene(X[:1], {}))["first"] == [[3, -1]]


def test_threads_have_their_own_replacements():
    introspector, found = chain(), {}
    barrier = threading.Barrier(2)

    def run(number):
        def waiting(activation):
            barrier.wait(20)  # both are in the middle of a run
            return activation * 0 + number

        found[number] = values(introspector.intervene(X[:1], {"first": waiting}))["sum"]

    introspector.intervene(X, {"first": [0, 0]})
    threads = [threading.Thread(target=run, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {1: [[4]], 2: [[8]]}


@pytest.mark.parametrize("before", [False, True], ids=["first use in the graph", "used before"])
def test_inside_a_tf_function(before):
    introspector, traced = chain(), []
    if before:
        introspector.intervene(X, {"first": [0, 0]})

    @tf.function(input_signature=[tf.TensorSpec((None, 2)), tf.TensorSpec((None, 2))])
    def graph(x, replacement):
        traced.append(x)
        outputs = introspector.intervene(x, {"first": replacement, "second": lambda a: a + 1})
        return outputs["second"], outputs["sum"]

    for replacement in ([[5, 1], [-1, 0]], [[0, 0], [0, 1]]):
        second, total = graph(X, tf.constant(replacement, tf.float32))
        assert second.numpy().tolist() == (2 * np.array(replacement) + 1).tolist()
        np.testing.assert_array_equal(total, np.sum(second, axis=1, keepdims=True))
    assert len(traced) == 1
    assert values(introspector.intervene(X, {}))["sum"] == [[4], [0]]  # and eagerly afterwards


def probability_classifier() -> Introspector:
    x = keras.Input((2,), name="x")
    hidden = dense("hidden", [[1, 0], [0, 1]])(x)
    return Introspector(keras.Model(x, dense("p", [[1], [2]], activation="sigmoid")(hidden)))


@pytest.mark.parametrize("in_graph", [False, True])
def test_gradient_of_the_class_with_respect_to_a_replacement(in_graph):
    introspector = probability_classifier()

    def gradients(replacement):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(replacement)
            outputs = introspector.intervene(X, {"hidden": replacement})
        return tape.gradient(outputs["p"], replacement), tape.gradient(outputs["r"], replacement)

    gradients = tf.function(gradients) if in_graph else gradients
    of_class, of_r = gradients(tf.constant([[0.0, 0.0], [2.0, -1.0]]))
    # The sigmoid of 0 has the slope 1/4; the kernel is (1, 2).
    np.testing.assert_allclose(of_class, [[0.25, 0.5]] * 2, rtol=1e-6)
    assert of_r is None


def test_gradient_of_r_where_it_is_wanted():
    introspector, replacement = probability_classifier(), tf.Variable([0.0, 0.0])
    with tf.GradientTape() as tape:
        outputs = introspector.intervene(X[:1], {"hidden": replacement}, stop_gradient=False)
    # r holds x, hidden and p: 1 for the unit itself, and what it does to p.
    np.testing.assert_allclose(tape.gradient(outputs["r"], replacement), [1.25, 1.5], rtol=1e-6)


def test_a_function_can_watch_its_activation():
    introspector, seen = probability_classifier(), []
    with tf.GradientTape() as tape:

        def watch(activation):
            tape.watch(activation)
            seen.append(activation)
            return activation

        outputs = introspector.intervene(np.zeros((1, 2)), {"hidden": watch})
    np.testing.assert_allclose(tape.gradient(outputs["p"], seen[0]), [[0.25, 0.5]], rtol=1e-6)


def test_the_introspector_and_its_classifier_stay_as_they_were():
    introspector = chain()
    layers, weights = list(introspector.layers), [weight.path for weight in introspector.weights]
    introspector.intervene(X, {"first": [1, 2]})
    assert list(introspector.layers) == layers
    assert [weight.path for weight in introspector.weights] == weights
    introspector.classifier.get_layer("second").set_weights([np.ones((2, 2))])
    assert values(introspector.intervene(X, {"first": [1, 2]}))["sum"] == [[6], [6]]
    assert introspector.classifier.trainable_variables


# ---------------------------------------------------------------- properties


def own_activations(introspector: Introspector, x) -> dict:
    paths = list(activation_paths(introspector.classifier))
    outputs = introspector.intervene(x, {}, also=paths)
    return {path: outputs[path] for path in paths}


def assert_same(outputs: dict, expected: dict, tolerance: float = 1e-5) -> None:
    assert set(outputs) == set(expected)
    for path, value in expected.items():
        pair = (np.asarray(part).astype("float32") for part in (outputs[path], value))
        np.testing.assert_allclose(*pair, rtol=tolerance, atol=tolerance, err_msg=path)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if "r(x)" not in kind.refusals])
def test_its_own_activations_change_nothing_in_any_kind_of_classifier(name):
    kind: classifier_kinds.Kind = KINDS[name]
    x = tf.nest.map_structure(tf.convert_to_tensor, kind.inputs(np.random.default_rng(0)))
    introspector = Introspector(kind.build(), list(kind.layers))
    expected, own = introspector(x), own_activations(introspector, x)
    tolerance = max(1e-5, kind.tolerance / 10)
    for path in kind.layers:
        assert_same(introspector.intervene(x, {path: own[path]}), expected, tolerance)
    assert_same(introspector.intervene(x, own), expected, tolerance)
    assert_same(introspector.intervene(x, dict.fromkeys(own, lambda a: a)), expected, tolerance)


@pytest.fixture(scope="module")
def branching():
    """Two inputs, a nested model that is called twice, a branch that joins again."""
    left, right = keras.Input((3,), name="left"), keras.Input((3,), name="right")
    tower = mlp(3, 3, (4,), name="tower", seed=1)
    a, b = tower(left), tower(right)
    joined = L.Concatenate(name="joined")([a, L.Dense(2, "tanh", name="side")(b), right])
    output = L.Dense(3, "softmax", name="p")(joined)
    return Introspector(keras.Model({"left": left, "right": right}, output), ["left", "joined", "tower", "p"])


@st.composite
def runs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    size = draw(st.integers(1, 3))
    return rng, {name: rng.normal(size=(size, 3)).astype("float32") for name in ("left", "right")}


@hypothesis.settings(max_examples=25)
@hypothesis.given(run=runs(), data=st.data())
def test_own_activations_change_nothing(branching, run, data):
    _, x = run
    own = own_activations(branching, x)
    chosen = data.draw(st.lists(st.sampled_from(sorted(own)), unique=True))
    assert_same(branching.intervene(x, {path: own[path] for path in chosen}), branching(x))


@hypothesis.settings(max_examples=25)
@hypothesis.given(run=runs(), data=st.data())
def test_the_order_of_the_replacements_does_not_count(branching, run, data):
    rng, x = run
    own = own_activations(branching, x)
    chosen = data.draw(st.lists(st.sampled_from(sorted(own)), unique=True, min_size=2))
    shifts = rng.normal(size=len(chosen))
    functions = {path: functools.partial(np.add, shift) for path, shift in zip(chosen, shifts, strict=True)}
    arrays = {path: rng.normal(size=own[path].shape) for path in chosen[::2]}
    ordered = {path: arrays.get(path, functions[path]) for path in chosen}
    backwards = {path: ordered[path] for path in reversed(chosen)}
    assert_same(branching.intervene(x, backwards), branching.intervene(x, ordered))


@hypothesis.settings(max_examples=25)
@hypothesis.given(run=runs())
def test_replacing_the_inputs_is_calling_with_others(branching, run):
    rng, x = run
    others = {name: rng.normal(size=value.shape).astype("float32") for name, value in x.items()}
    assert_same(branching.intervene(x, others), branching(others))
    assert_same(branching.intervene(x, {"left": others["left"]}), branching({**x, "left": others["left"]}))


# ---------------------------------------------------------------- bad arguments


@pytest.mark.parametrize(
    ("replacements", "message"),
    [
        ({"frist": [0, 0]}, r"`replacements` names 'frist', but there is no such layer .* mean \['first'"),
        ({"first/a": [0, 0]}, "`replacements` names 'first/a'"),
        (
            {"first": np.zeros((3, 2))},
            r"replacements\['first'\] must be \(2, 2\).*\(1, 2\) or \(2,\).*\(3, 2\)",
        ),
        ({"first": np.zeros((2, 3))}, r"got \(2, 3\)"),
        ({"first": np.zeros((2, 1))}, r"got \(2, 1\)"),
        ({"first": 0.0}, r"got \(\)"),
        ({"first": [0.0, np.nan]}, r"replacements\['first'\] holds NaN or infinity"),
        ({"first": lambda a: a / 0}, r"the function replacements\['first'\] returns holds NaN or infinity"),
        ({"first": lambda a: a[:, :1]}, r"the function replacements\['first'\] returns must be \(2, 2\)"),
        ({"first": lambda a: None}, r"the function replacements\['first'\] returns must be .* got None"),
        ({"first": "zero"}, r"replacements\['first'\] must hold numbers, got string"),
        ({"first": [[1, 2], [3]]}, r"replacements\['first'\] must be an array of numbers or a function"),
        ({"first": np.zeros((2, 2), bool)}, r"replacements\['first'\] must hold numbers, got bool"),
        ([("first", [0, 0])], "`replacements` must be a dict .* got a list"),
        ({"first": keras.Input((2,))}, "got a KerasTensor"),
    ],
)
def test_bad_replacements(replacements, message):
    with pytest.raises(ValueError, match=f"(?s)^.*{message}") as error:
        chain().intervene(X, replacements)
    assert "Exception encountered" not in str(error.value)


def test_too_large_for_half_precision():
    x = keras.Input((2,), name="x")
    introspector = Introspector(keras.Model(x, L.Dense(2, name="p", dtype="mixed_float16")(x)), ["p"])
    with pytest.raises(ValueError, match=r"infinity as float16, the layer's type; .* not too large"):
        introspector.intervene(X, {"p": [1e6, 0.0]})


def test_unknown_layers_that_are_wanted():
    with pytest.raises(ValueError, match="`also` names 'frist'"):
        chain().intervene(X, {}, also=["frist"])


def test_steps_of_another_number():
    introspector = Introspector(masked_classifier(), ["words"])
    with pytest.raises(ValueError, match=r"must be \(1, 3, 2\).* got \(1, 4, 2\)"):
        introspector.intervene(np.ones((1, 3), "int32"), {"words": np.zeros((1, 4, 2))})


def test_an_error_of_a_function_comes_out_as_it_is():
    def fails(activation):
        raise KeyError("mine")

    nested = Introspector(nested_classifier(), ["sum"])
    for introspector, path in ((chain(), "first"), (nested, "middle/inner/first")):
        with pytest.raises(KeyError, match=r"^'mine'$"):
            introspector.intervene(X, {path: fails})
        assert len(introspector.intervene(X, {})) > 1


def test_symbolic_x():
    with pytest.raises(ValueError, match="got a KerasTensor"):
        chain().intervene(keras.Input((2,)), {"first": [0, 0]})


def test_a_classifier_that_was_built_of_one_example():
    """It knows a batch of one; an intervention takes any number."""
    classifier = keras.Sequential([keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2, "softmax")])
    x = np.arange(8, dtype="float32").reshape(4, 2)
    classifier(x[:1])
    found = Introspector(classifier, ["hidden"]).intervene(x, {"hidden": np.zeros(3, "float32")})
    assert found["r"].shape == (4, 3)
    assert not found["r"].numpy().any()
