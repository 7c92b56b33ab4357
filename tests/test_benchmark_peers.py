"""The processes in which benchmarks build and time their contenders."""

import functools
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import peers
import train_explainer


def make(step):
    total = [0]

    def run(number):
        total[0] += step * number
        os.environ["TOTAL"] = str(total[0])

    return run


def total():
    return os.getpid(), os.environ.get("TOTAL")


def fail():
    raise RuntimeError("no such library")


def die():
    os._exit(3)


def nothing():
    pass


@pytest.fixture(scope="module")
def process():
    with peers.processes({"other": nothing}) as running:
        yield running["other"]


def test_a_contender_runs_in_the_other_process(process):
    run = process.build(make, 2)
    assert run(3) >= 0
    assert run(4) >= 0
    pid, said = process.call(total)
    assert pid != os.getpid()
    assert said == "14"
    assert "TOTAL" not in os.environ


def test_errors_come_back(process):
    with pytest.raises(ChildProcessError, match="RuntimeError: no such library"):
        process.call(fail)
    with pytest.raises(ChildProcessError, match="RuntimeError: no such library"):
        process.build(functools.partial(fail))


def test_a_process_that_dies_is_told():
    with (
        peers.processes({"other": nothing}) as running,
        pytest.raises(ChildProcessError, match="ended with 3"),
    ):
        running["other"].call(die)


@pytest.mark.parametrize("epoch", [0, 1])
def test_the_peer_sees_the_batches_of_ours_that_are_not_bucketed(epoch):
    sentences = train_explainer.sentence_stream(80, seed=3)
    ours = train_explainer.batches(sentences, seed=3, bucketed=False)
    ours.epoch = epoch
    theirs = train_explainer.padded_batches(sentences, train_explainer.features(3), 3, epoch)
    for (inputs, targets), (their_inputs, their_targets) in zip(ours, theirs, strict=True):
        for name, values in inputs.items():
            np.testing.assert_array_equal(values, their_inputs[name])
        np.testing.assert_array_equal(targets, their_targets)
