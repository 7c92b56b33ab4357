"""How long attributions take at the paper's sizes, with random weights.

    python benchmarks/attribution.py
    python benchmarks/attribution.py --decoder transformer --sentences 1 --methods integrated_gradients

r(x) of 9192 numbers (8192 + 500 + 300 + 200), 5700 ids, sentences of 16 words. Times are of whole calls, from
x and sentences to records, after one call that builds the graphs: seconds on the clock, and seconds of all
cores together, half of which is what two idle cores would need at best. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import interpnet_tf as itf
from interpnet_tf import analysis

SIZES, IDS, WORDS = (8192, 500, 300, 200), 5700, 16


def build(decoder: str) -> itf.InterpNet:
    """Returns InterpNET_2 of the paper, untrained."""
    width, *hidden, classes = SIZES
    inputs = x = keras.Input((width,), name="features")
    for index, units in enumerate(hidden, start=1):
        x = keras.layers.Dense(units, "relu", name=f"hidden_{index}")(x)
    outputs = keras.layers.Dense(classes, "softmax", name="probabilities")(x)
    tokenizer = itf.ExplanationTokenizer([f"word{index}" for index in range(IDS - 4)])
    return itf.InterpNet(keras.Model(inputs, outputs), tokenizer, decoder=decoder, seed=0)


def measure(call: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Returns the least seconds of a call: on the clock, and of all cores together."""
    call()
    seconds = []
    for _ in range(rounds):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        call()
        seconds.append((time.perf_counter() - begin, time.process_time() - begin_cpu))
    clock, cores = zip(*seconds, strict=True)
    return min(clock), min(cores)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decoder", default="lrcn", choices=("lrcn", "transformer"))
    parser.add_argument("--sentences", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    methods = ("integrated_gradients", "layer_ablation", "shapley")
    parser.add_argument("--methods", nargs="+", default=methods, choices=methods)
    arguments = parser.parse_args()

    model, random = build(arguments.decoder), np.random.default_rng(0)
    load, cores = os.getloadavg()[0], os.cpu_count()
    print(f"{arguments.decoder}, {arguments.steps} steps, load {load:.1f} on {cores} cores")
    print(f"{'method':22}{'sentences':>10}{'seconds':>10}{'core-seconds':>14}")
    for method in arguments.methods:
        for count in arguments.sentences:
            x = random.normal(size=(count, SIZES[0])).astype("float32")
            words = random.integers(IDS - 4, size=(count, WORDS))
            sentences = [" ".join(f"word{index}" for index in of_one) for of_one in words]

            def call(method=method, x=x, sentences=sentences):
                return analysis.attribute(model, x, sentences, method, steps=arguments.steps)

            clock, cores = measure(call, arguments.rounds)
            print(f"{method:22}{count:10}{clock:10.2f}{cores:14.2f}", flush=True)


if __name__ == "__main__":
    main()
