"""What the tests share: TensorFlow without its chatter, a tiny data set, tiny models."""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker has a core: a second thread would only wait for it. Programs that tests start inherit this.
    for _name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(_name, "1")

import dataclasses
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from interpnet_tf.support import quiet

with quiet.silenced_stderr():  # else pytest would print at its end what TensorFlow says when it is loaded
    import keras

    keras.ops.zeros(1)

import half_precision

from interpnet_tf import Explanation, ExplanationDataset, ExplanationTokenizer, InterpNet, LRCNDecoder

# A machine that has other work too may take long over a single example.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")
half_precision.skip_where_it_crashes()


def pytest_collection_finish() -> None:
    """Spares the garbage collector what stays until the end, most of which is TensorFlow's modules."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """What a test printed reaches the reporting process whatever it is: that takes UTF-8 only."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode("utf-8")) for name, text in report.sections
    ]
    return report


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


def lessons(dataset: ExplanationDataset) -> ExplanationDataset:
    """Returns `dataset` with the first sentence of each example said twice.

    Of two sentences said equally often a model that has learned well thinks equally well, and the rounding
    of a processor chooses. With two of three the one is ahead by ln 2, and is said everywhere.
    """
    explanations = [[*sentences[:1], *sentences] for sentences in dataset.explanations]
    return dataclasses.replace(dataset, explanations=explanations)


def same_explanations(found: list[Explanation], expected: list[Explanation]) -> None:
    """Checks that the same is said, in numbers as near as the rounding of two ways of computing leaves them.

    Sentences whose scores are that near may change places, the last of a list with the first outside it.
    """
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        said, wanted = ([every, *every.alternatives] for every in (one, other))
        np.testing.assert_allclose([of.score for of in said], [of.score for of in wanted], atol=1e-4)
        by_words = {of.words: of for of in wanted}
        for sentence in said:
            assert (sentence.label, sentence.class_id) == (other.label, other.class_id)
            np.testing.assert_allclose(sentence.probability, other.probability, rtol=1e-4)
            if sentence.words not in by_words:
                assert sentence.score == pytest.approx(wanted[-1].score, abs=1e-4), sentence.text
                continue
            same = by_words[sentence.words]
            assert sentence.text == same.text
            assert sentence.score == pytest.approx(same.score, abs=1e-4)
            np.testing.assert_allclose(sentence.log_probabilities, same.log_probabilities, atol=1e-4)


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


# The longest files, which begin first, so that the processes that share the suite end together.
LONGEST = (
    "classifier_matrix",
    "saved_model",
    "table1_runs",
    "cli",
    "speakers",
    "litert",
    "transformer",
    "real_meteor",
    "code_blocks",
    "gve",
    "phone_web",
    "phone_kotlin",
    "notebooks",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first; with `INTERPNET_TEST_ORDER=SEED` files and their tests are shuffled."""
    seed = os.environ.get("INTERPNET_TEST_ORDER")
    if seed:
        random.Random(seed).shuffle(items)
        first = {}
        for place, item in enumerate(items):
            first.setdefault(item.path, place)
        items.sort(key=lambda item: first[item.path])
    else:
        names = [f"test_{name}.py" for name in LONGEST]
        items.sort(key=lambda item: names.index(item.path.name) if item.path.name in names else len(names))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Layers without a seed of their own start alike in every test and fixture, whatever ran before."""
    keras.utils.set_random_seed(0)


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
def _java_in_a_blink(tmp_path_factory) -> Path:
    """A folder with a `java` that gives every sentence a METEOR of 0.5."""
    folder = tmp_path_factory.mktemp("java")
    scores = """awk '{printf "Segment %d score:\\t0.5\\n", NR}' hypotheses"""
    (folder / "java").write_text(f'#!/bin/sh\n[ "$1" = -version ] || {scores}\n')
    (folder / "java").chmod(0o755)
    return folder


@pytest.fixture
def quick_meteor(_java_in_a_blink, monkeypatch) -> None:
    """METEOR takes ten seconds a row; what it gives is tested elsewhere."""
    monkeypatch.setenv("PATH", str(_java_in_a_blink), prepend=os.pathsep)


@pytest.fixture(scope="session")
def trained(birds, make_model) -> InterpNet:
    """A model that has learned to explain `birds`. Shared: a test must not change it."""
    model = make_model()
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(lessons(birds), batch_size=40, epochs=60, verbose=0)
    return model


@pytest.fixture
def without_beams(monkeypatch) -> None:
    """Their signature does not depend on the classifier, and takes longer to trace than all others."""
    from interpnet_tf.export import signatures

    monkeypatch.setattr(signatures, "explain_top", lambda model, x, *_: signatures.classify(model, x))


@pytest.fixture(scope="session")
def phone_client():
    """The module of the Python client for phones, which imports its neighbours when it needs them."""
    pytest.importorskip("ai_edge_litert")
    sys.path.insert(0, str(Path(__file__).parents[1] / "export" / "phone"))
    import interpnet_lite

    return interpnet_lite
