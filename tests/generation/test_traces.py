"""Nothing that is called in a loop traces a graph again, and graphs do not pile up."""

import contextlib
import gc

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.func_graph import FuncGraph

from interpnet_tf.analysis import patch
from interpnet_tf.generation.traces import Traces
from interpnet_tf.language.sentence_models import sentence_classifier
from interpnet_tf.speakers import MinimumBayesRisk, Pragmatic
from interpnet_tf.training import rewards
from interpnet_tf.training.policy_gradient import Policy


@pytest.fixture
def no_new_graph(monkeypatch):
    """Returns a context in which whatever makes a graph fails: every trace makes one."""

    @contextlib.contextmanager
    def watch():
        made = []
        build = FuncGraph.__init__

        def counted(self, *arguments, **options):
            made.append(arguments[:1] or options.get("name"))
            build(self, *arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(FuncGraph, "__init__", counted)
            yield
        assert not made, f"{len(made)} new graphs: {made[:5]}"

    return watch


def live_graphs() -> int:
    gc.collect()
    return sum(isinstance(candidate, FuncGraph) for candidate in gc.get_objects())


def test_one_trace_for_each_set_of_options():
    traced = []

    def scaled(x, factor):
        traced.append(factor)
        return x * factor

    graphs = Traces(scaled)
    for size in (3, 1, 4):
        for factor in (2, float("2"), 5):  # 2 and 2.0 are equal
            np.testing.assert_array_equal(graphs(tf.ones((size,)), factor=factor), np.full(size, factor))
    assert traced == [2, 5]
    assert graphs.experimental_get_tracing_count() == 2


def test_structures_types_and_further_axes():
    graphs = Traces(
        lambda parts, offset: sum(tf.reduce_sum(part, axis=1) for part in parts.values()) + offset
    )
    for _ in range(2):
        for width in (2, 3, 5, 7):
            parts = {"a": tf.ones((4, width)), "b": tf.ones((4, 1))}
            np.testing.assert_array_equal(graphs(parts, tf.constant(0.5)), np.full(4, width + 1.5))
    assert graphs.experimental_get_tracing_count() == 2  # of one width, then of any
    assert graphs({"c": tf.ones((2, 2))}, tf.constant(0.0)).shape == (2,)
    assert graphs.experimental_get_tracing_count() == 3


def test_only_the_graphs_used_last_are_kept():
    graphs = Traces(lambda x, power: x**power, most=2)
    x = tf.constant([3.0])
    for power in (1, 2, 1, 3, 1):  # 2 is dropped when 3 comes
        assert graphs(x, power=power).numpy() == 3**power
    assert graphs.experimental_get_tracing_count() == 3
    graphs(x, power=2)
    assert graphs.experimental_get_tracing_count() == 4


WAYS = {
    "greedy": lambda: {},
    "beam": lambda: {"sampler": "beam", "beams": 3, "n_best": 2, "length_penalty": float("0.5")},
    "top_k": lambda: {"sampler": "top_k", "k": 4, "temperature": float("1.5")},
    "top_p": lambda: {"sampler": "top_p", "p": float("0.8"), "n_best": 3},
    "forbidden": lambda: {"forbidden": ["black", "bill"], "no_repeat_ngram": 2, "min_length": 2},
    "required": lambda: {"sampler": "beam", "required": ["red"], "beams": 4},
    "max_length": lambda: {"max_length": np.int64(3)},
    "jit_compile": lambda: {"jit_compile": True, "max_length": 4, "seed": 0},
}


@pytest.mark.parametrize("way", WAYS)
def test_explain_traces_once(trained, birds, no_new_graph, way):
    options = WAYS[way]
    trained.explain(birds.inputs[:2], **options())
    with no_new_graph():
        for seed in range(4):
            trained.explain(birds.inputs, batch_size=5, **{"seed": seed, **options()})  # 5, 5 and 3 at a time
            trained.explain(birds, **options())


def test_the_order_of_words_is_no_other_option(trained, birds, no_new_graph):
    trained.explain(birds.inputs[:2], forbidden=["black", "red"])
    with no_new_graph():
        trained.explain(birds.inputs[:2], forbidden=["Red", "black", "red"])


def test_explain_with_folded_weights_traces_once(trained, birds, no_new_graph):
    many = np.repeat(birds.inputs, 40, axis=0)
    trained.explain(many, batch_size=300)
    with no_new_graph():
        trained.explain(many, batch_size=300)
        trained.explain(many[:-1], batch_size=200)
        trained.explain(tf.data.Dataset.from_tensors(birds.inputs[:4]))  # of any length, so folded too


def test_explain_leaves_no_graph_behind(trained, birds):
    trained.explain(birds.inputs[:1])
    before = live_graphs()
    for _ in range(40):
        trained.explain(birds.inputs[:1])
    assert live_graphs() == before


def test_ever_new_options_leave_few_graphs():
    def repeatedly(x, factor):
        return tf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, x * factor), (0, x))[1]

    graphs, counts = Traces(repeatedly, most=4), []
    for number in range(20):
        graphs(tf.ones((2,)), factor=number)
        if number in (9, 19):
            counts.append(live_graphs())
    assert counts[0] == counts[1]


@pytest.mark.parametrize("make", [Pragmatic, lambda *args: Pragmatic(*args, rivals=2), MinimumBayesRisk])
def test_speakers_trace_once(trained, birds, no_new_graph, make):
    speaker = make(trained, birds)
    speaker.explain(birds, beams=3, batch_size=8)
    with no_new_graph():
        speaker.explain(birds, beams=3, batch_size=8)
        speaker.explain(birds.inputs[:3], beams=3)


def test_patch_traces_once(trained, birds, no_new_graph):
    patch(trained, birds.inputs[:4], birds.inputs[4:5], "hidden_1")
    patch(trained, birds.inputs[:4], birds.inputs[4:5], "features")
    with no_new_graph():
        for layers in ("hidden_1", ["features", "hidden_1"]):
            patch(trained, birds.inputs[:2], birds.inputs[2:4], layers)
            patch(trained, birds, birds.inputs[:1], layers, batch_size=5)


def test_introspect_traces_once(trained, birds, no_new_graph):
    trained.introspect(birds.inputs[:1])
    with no_new_graph():
        trained.introspect(birds.inputs, batch_size=4)


def test_evaluate_and_predict_trace_once(trained, birds, valid_birds, monkeypatch):
    runs = []

    def counted(layer):
        call = layer.call
        monkeypatch.setattr(
            layer, "call", lambda *args, **options: runs.append(layer) or call(*args, **options)
        )

    trained.evaluate(birds, verbose=0)
    trained.evaluate(birds, batch_size=5, verbose=0)
    for batch_size in (5, 6):  # Keras leaves the number of examples open when it has met two
        trained.predict(birds.inputs, batch_size, verbose=0)
    step = trained.decoder.step
    monkeypatch.setattr(trained.decoder, "step", lambda *args: runs.append("step") or step(*args))
    for layer in (trained.decoder, *trained.classifier.layers):
        counted(layer)
    for batch_size in (3, 32):
        trained.evaluate(valid_birds, batch_size=batch_size, verbose=0)
        trained.predict(valid_birds.inputs, batch_size=batch_size, verbose=0)
    assert not runs  # Python runs a layer where a graph is traced


def test_training_by_reward_traces_once(make_model, birds, no_new_graph):
    model = make_model()
    model.compile("adam")
    policy, batch = Policy(model, likelihood_weight=0.5, samples=2), model.prepare(birds)
    reads = rewards.ClassProbability(sentence_classifier(model.tokenizer.vocabulary_size, 3, 4, 4))
    reward = reads.bind(birds)

    def step(rows: np.ndarray, seed: int) -> None:
        ids = policy.sample(batch.r[rows], (0, seed))
        reward(ids, np.repeat(rows, 2))
        reward(policy.most_probable(batch.r[rows]), rows)
        policy.update(batch.r[rows], ids, np.ones(len(ids)), batch.batch(rows))

    for rows in (np.arange(4), np.arange(7)):
        step(rows, 0)
    reward(np.full((3, 2), 5), np.arange(3))
    with no_new_graph():
        for seed in range(3):
            step(np.arange(5 + seed), seed)


def test_an_exported_graph_is_never_traced_again(trained, birds, no_new_graph, tmp_path):
    trained.export(tmp_path / "1", max_batch_size=1)
    served = tf.saved_model.load(tmp_path / "1").signatures
    with no_new_graph():
        for size in (1, 3, 8):
            for name in ("serving_default", "classify", "explain_top", "introspect"):
                served[name](x=tf.constant(birds.inputs[:size]))
