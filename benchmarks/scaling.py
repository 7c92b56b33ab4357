"""How the cost of an explanation grows with the batch, the words and the width of r(x), as a picture.

    python benchmarks/scaling.py --out benchmarks/scaling.png

Prints the figures, whether the cost of a word is constant from 8 to 64 words, and how much memory a stream of
10,000 examples takes beyond its first thousand. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from generate import WORDS, features, library, ours
from peers import Process, Run, processes, pytorch_unavailable
from train_explainer import R_WIDTH, STARTS, VOCABULARY, cores, environment, measure

BATCHES = (1, 4, 16, 64, 256, 1024)
LENGTHS = (8, 16, 24, 32, 48, 64)
WIDTHS = (512, 2048, 8192, 32768)
BATCH = 32


def pytorch(batch: int, words: int, width: int) -> Run:
    """Returns the PyTorch LRCN that steps through cells, r projected once."""
    import torch
    from pytorch_lrcn import LRCN

    model = LRCN(VOCABULARY, width, project_once=True).eval()
    r = torch.from_numpy(features(batch, width))
    return lambda _: model.generate(r, words, cells=True)


CONTENDERS: dict[str, Callable[..., Run]] = {
    "LSTM": partial(ours, "lrcn"),
    "LSTM, bfloat16": partial(ours, "lrcn", dtype="mixed_bfloat16"),
    "Transformer": partial(ours, "transformer"),
    "PyTorch LRCN": pytorch,
}


def seconds(
    running: dict[str, Process], rounds: int, axis: str, values: Iterable[int]
) -> dict[str, list[float]]:
    """Returns each contender's median seconds a batch at each value of `axis`, and prints them."""
    lines: dict[str, list[float]] = {}
    for value in values:
        sizes = {"batch": BATCH, "words": WORDS, "width": R_WIDTH, axis: value}
        runs = {name: running[library(name)].build(make, **sizes) for name, make in CONTENDERS.items()}
        for name, of_one in measure(runs, rounds, warmup=1).items():
            lines.setdefault(name, []).append(float(np.median(of_one)))
            print(f"{axis} {value:6}  {name:16} {1e3 * lines[name][-1]:9.2f} ms a batch", flush=True)
        for process in running.values():
            process.drop()
    return lines


def memory(examples: int = 10_000) -> float:
    """Returns by how many MiB the peak of memory grows between the first thousand of a stream and its end."""
    import tensorflow as tf

    import interpnet_tf as itf

    tokenizer = itf.ExplanationTokenizer([f"word{index}" for index in range(VOCABULARY - 4)])
    classifier = itf.classifiers.mlp(8192, 200, (500, 300), seed=0)
    model = itf.InterpNet(classifier, tokenizer, max_length=WORDS, seed=0)

    def stream(count: int) -> tf.data.Dataset:
        example = tf.data.Dataset.from_tensors(tf.zeros((64, 8192))).repeat(-(-count // 64))
        return example.map(lambda x: tf.random.stateless_normal(tf.shape(x), [1, 2]))

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    model.explain(stream(1000))
    before = peak()
    model.explain(stream(examples))
    return peak() - before


def draw(path: str, panels: dict[str, tuple[Iterable[int], dict[str, list[float]]]]) -> None:
    """Draws one panel for each axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(panels), figsize=(15, 4.5), layout="constrained")
    for panel, (axis, (values, lines)) in zip(axes, panels.items(), strict=True):
        for name, of_one in lines.items():
            style = "--" if name.startswith("PyTorch") else "-"
            if axis == "batch":
                panel.loglog(values, np.array(values) / of_one, style, marker="o", label=name)
            else:
                panel.plot(values, 1e3 * np.array(of_one), style, marker="o", label=name)
        panel.set_xlabel(
            {"batch": "batch", "words": f"words, batch {BATCH}"}.get(axis, f"width of r, batch {BATCH}")
        )
        panel.set_ylabel("explanations a second" if axis == "batch" else "milliseconds a batch")
        panel.set_ylim(bottom=None if axis == "batch" else 0)
        panel.grid(alpha=0.3)
    axes[0].legend()
    figure.suptitle(f"Cost of an explanation, paper's sizes, {WORDS} words, {cores()} cores")
    temporary = f"{path}.tmp.png"
    figure.savefig(temporary, dpi=110)
    os.replace(temporary, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default="scaling.png", help="the picture (default scaling.png)")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds of each point (default 5)")
    options = parser.parse_args()
    if reason := pytorch_unavailable():
        sys.exit(reason)
    print(", ".join(f"{name} {value}" for name, value in environment().items()))
    axes = {"batch": BATCHES, "words": LENGTHS, "width": WIDTHS}
    with processes(STARTS) as running:
        growth = running["TensorFlow"].call(memory)
        panels = {
            axis: (values, seconds(running, options.rounds, axis, values)) for axis, values in axes.items()
        }
    for name, of_one in panels["words"][1].items():
        slope, start = np.polyfit(LENGTHS, of_one, 1)
        off = np.abs(np.array(of_one) / (start + slope * np.array(LENGTHS)) - 1).max()
        print(f"{name:16} {1e3 * slope:.2f} ms a word; at most {100 * off:.0f} % off the line")
    print(f"10,000 examples in a stream: the peak of memory grows by {growth:.0f} MiB after the first 1,000")
    draw(options.out, panels)


if __name__ == "__main__":
    main()
