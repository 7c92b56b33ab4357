"""How fast an explainer trains: InterpNet's `fit` beside PyTorch, at the paper's sizes.

    python benchmarks/train_explainer.py

The contenders see the same sentences and the same r(x), and take turns in every round: what else the machine
does falls on all of them. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from peers import Run, processes, pytorch_unavailable

FEATURES, HIDDEN, CLASSES, VOCABULARY = 8192, (500, 300), 200, 5700
R_WIDTH = FEATURES + sum(HIDDEN) + CLASSES
IMAGES, BATCH = 400, 32
PAD, START, END, FIRST_WORD = 0, 1, 2, 4
BASELINE = "PyTorch float32"


def sentence_stream(count: int, seed: int) -> list[np.ndarray]:
    """Returns the word ids of `count` sentences, whose lengths are normal about 16 words."""
    random = np.random.default_rng(seed)
    lengths = np.clip(np.round(random.normal(16, 4, count)), 6, 40).astype(int)
    return [random.integers(FIRST_WORD, VOCABULARY, length, dtype="int32") for length in lengths]


def features(seed: int) -> np.ndarray:
    """Returns r(x) of the images."""
    return np.random.default_rng(seed).random((IMAGES, R_WIDTH), dtype="float32")


def owners(sentences: list[np.ndarray], seed: int) -> np.ndarray:
    """Returns the image of each sentence."""
    return np.random.default_rng((seed, 1)).integers(0, IMAGES, len(sentences))


def batches(sentences: list[np.ndarray], seed: int, bucketed: bool):
    """Returns the `SentenceBatches` of a stream; without buckets, batches in the order of the shuffle."""
    from interpnet_tf.data.pipeline import SeededBatches
    from interpnet_tf.data.sentence_batches import SentenceBatches

    class Unbucketed(SentenceBatches):
        cut = SeededBatches.cut

    kind = SentenceBatches if bucketed else Unbucketed
    image_of = owners(sentences, seed)
    return kind(
        features(seed), image_of, sentences, START, END, PAD, batch_size=BATCH, shuffle=True, seed=seed
    )


def padded_batches(sentences: list[np.ndarray], r: np.ndarray, seed: int, epoch: int):
    """Yields what `batches(sentences, seed, bucketed=False)` holds in an epoch, without TensorFlow."""
    image_of = owners(sentences, seed)
    order = np.random.default_rng((seed, epoch)).permutation(len(sentences))
    for begin in range(0, len(order), BATCH):
        rows = order[begin : begin + BATCH]
        tokens = np.full((len(rows), 2 + max(len(sentences[row]) for row in rows)), PAD, "int32")
        tokens[:, 0] = START
        for ids, row in zip(tokens, rows, strict=True):
            ids[1 : 2 + len(sentences[row])] = [*sentences[row], END]
        yield {"r": r[image_of[rows]], "tokens": tokens[:, :-1]}, tokens[:, 1:]


def interpnet(sentences: list[np.ndarray], seed: int, dtype: str, bucketed: bool) -> Run:
    """Returns what runs one epoch of `InterpNet.fit`."""
    import interpnet_tf as itf

    tokenizer = itf.ExplanationTokenizer([f"word{index}" for index in range(FIRST_WORD, VOCABULARY)])
    classifier = itf.classifiers.mlp(FEATURES, CLASSES, HIDDEN, seed=seed)
    model = itf.InterpNet(classifier, tokenizer, seed=seed, dtype=dtype)
    model.compile()
    data = batches(sentences, seed, bucketed)
    return lambda epoch: model.fit(data, initial_epoch=epoch, epochs=epoch + 1, verbose=0)


def pytorch(sentences: list[np.ndarray], seed: int, bfloat16: bool, **options) -> Run:
    """Returns what runs one epoch of the PyTorch peer, on batches padded to their longest sentence."""
    import torch
    from pytorch_lrcn import LRCN, Trainer

    torch.manual_seed(seed)
    trainer = Trainer(LRCN(VOCABULARY, R_WIDTH, **options), bfloat16)
    r = features(seed)
    return lambda number: trainer.epoch(padded_batches(sentences, r, seed, number))


# The process that each runs in, and what builds it from the sentences and the seed.
CONTENDERS: dict[str, tuple[str, Callable[..., Run]]] = {
    BASELINE: ("PyTorch", partial(pytorch, bfloat16=False)),
    "PyTorch bfloat16": ("PyTorch", partial(pytorch, bfloat16=True)),
    "PyTorch float32, r projected once": ("PyTorch", partial(pytorch, bfloat16=False, project_once=True)),
    "PyTorch bfloat16, r projected once": ("PyTorch", partial(pytorch, bfloat16=True, project_once=True)),
    "InterpNet float32": ("TensorFlow", partial(interpnet, dtype="float32", bucketed=True)),
    "InterpNet bfloat16": ("TensorFlow", partial(interpnet, dtype="mixed_bfloat16", bucketed=True)),
    "InterpNet float32, not bucketed": ("TensorFlow", partial(interpnet, dtype="float32", bucketed=False)),
    "InterpNet bfloat16, not bucketed": (
        "TensorFlow",
        partial(interpnet, dtype="mixed_bfloat16", bucketed=False),
    ),
}


def cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start_pytorch() -> None:
    """Gives PyTorch every core."""
    import torch

    torch.set_num_threads(cores())


def start_tensorflow() -> None:
    """Lets the allocator keep freed memory, as `interpnet train` does."""
    from interpnet_tf.support import memory

    memory.keep_freed_memory()


STARTS = {"PyTorch": start_pytorch, "TensorFlow": start_tensorflow}


def pytorch_supports_bfloat16() -> bool:
    """Returns whether PyTorch's LSTM runs in bfloat16 on this processor; imports PyTorch."""
    from pytorch_lrcn import supports_bfloat16

    return supports_bfloat16()


def measure(runs: dict[str, Callable[[int], float]], rounds: int, warmup: int) -> dict[str, list[float]]:
    """Returns the seconds of each contender in each round, as the contender counts them.

    Every round begins with another contender.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for number in range(warmup + rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            of_one = runs[name](number)
            if number >= warmup:
                seconds[name].append(of_one)
    return seconds


def summarise(seconds: dict[str, list[float]], sentences: int) -> list[dict]:
    """Returns the medians over the rounds; a ratio compares two contenders within a round."""
    return [
        {
            "contender": name,
            "sentences_per_second": float(np.median(sentences / np.array(of_one))),
            "milliseconds_per_batch": float(np.median(of_one) / (sentences / BATCH) * 1e3),
            "best_milliseconds_per_batch": float(np.min(of_one) / (sentences / BATCH) * 1e3),
            "ratio": float(np.median(np.array(seconds[BASELINE]) / of_one)),
            "seconds": of_one,
        }
        for name, of_one in seconds.items()
    ]


def environment() -> dict:
    """Returns what the figures depend on."""
    versions = {name: importlib.metadata.version(name) for name in ("tensorflow", "keras", "torch")}
    return {"cores": cores(), "load": os.getloadavg(), "python": platform.python_version(), **versions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sentences", type=int, default=512, help="sentences an epoch (default 512)")
    parser.add_argument("--rounds", type=int, default=5, help="measured epochs of each contender (default 5)")
    parser.add_argument("--warmup", type=int, default=1, help="epochs before, not measured (default 1)")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[""],
        help="run contenders whose name holds one of these, and the baseline",
    )
    parser.add_argument("--seed", type=int, default=0, help="of sentences, weights and dropout (default 0)")
    parser.add_argument(
        "--one-core",
        action="store_true",
        help="use one core and count CPU seconds: for a machine that is not idle",
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args()
    if options.one_core:
        if not hasattr(os, "sched_setaffinity"):
            parser.error("--one-core needs Linux, where a process can choose its cores")
        # The processes inherit it, and start as many threads as there are cores.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    elif os.getloadavg()[0] > 0.5:
        print("Other processes are running: wall-clock times will mislead; see --one-core", file=sys.stderr)
    if reason := pytorch_unavailable():
        sys.exit(reason)
    chosen = [name for name in CONTENDERS if any(part in name for part in [BASELINE, *options.only])]
    sentences = sentence_stream(options.sentences, options.seed)
    about = environment()
    with processes(STARTS, "cpu" if options.one_core else "wall") as running:
        if not running["PyTorch"].call(pytorch_supports_bfloat16):
            chosen = [name for name in chosen if not name.startswith("PyTorch bfloat16")]
            print("PyTorch's LSTM has no bfloat16 on this processor: left out", file=sys.stderr)
        runs = {}
        for name in chosen:
            process, make = CONTENDERS[name]
            runs[name] = running[process].build(make, sentences, options.seed)
        results = summarise(measure(runs, options.rounds, options.warmup), options.sentences)
    if options.json:
        print(json.dumps({"environment": about, "settings": vars(options), "results": results}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    kind = "CPU time on one core" if options.one_core else "wall-clock time"
    print(f"{options.sentences} sentences an epoch, medians of {options.rounds} epochs, {kind}")
    print(f"{'':36} {'sentences/s':>11} {'ms/batch':>9} {'best':>7} {'ratio':>6}")
    for row in results:
        print(
            f"{row['contender']:36} {row['sentences_per_second']:11.1f} {row['milliseconds_per_batch']:9.1f} "
            f"{row['best_milliseconds_per_batch']:7.1f} {row['ratio']:6.2f}"
        )


if __name__ == "__main__":
    main()
