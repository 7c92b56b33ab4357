"""How fast an explainer trains: InterpNet's `fit` beside PyTorch, at the paper's sizes.

    python benchmarks/train_explainer.py

The contenders see the same sentences and the same r(x), and take turns in every round: what else the machine
does falls on all of them. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

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


def batches(sentences: list[np.ndarray], seed: int, bucketed: bool):
    """Returns the `SentenceBatches` of a stream; without buckets, batches in the order of the shuffle."""
    from interpnet_tf.data.pipeline import SeededBatches, SentenceBatches

    class Unbucketed(SentenceBatches):
        cut = SeededBatches.cut

    random = np.random.default_rng(seed)
    r = random.random((IMAGES, R_WIDTH), dtype="float32")
    owners = random.integers(0, IMAGES, len(sentences))
    kind = SentenceBatches if bucketed else Unbucketed
    return kind(r, owners, sentences, START, END, PAD, batch_size=BATCH, seed=seed)


def interpnet(sentences: list[np.ndarray], seed: int, dtype: str, bucketed: bool) -> Callable[[int], None]:
    """Returns what runs one epoch of `InterpNet.fit`."""
    import interpnet_tf as itf

    tokenizer = itf.ExplanationTokenizer([f"word{index}" for index in range(FIRST_WORD, VOCABULARY)])
    classifier = itf.classifiers.mlp(FEATURES, CLASSES, HIDDEN, seed=seed)
    model = itf.InterpNet(classifier, tokenizer, seed=seed, dtype=dtype)
    model.compile()
    data = batches(sentences, seed, bucketed)
    return lambda epoch: model.fit(data, initial_epoch=epoch, epochs=epoch + 1, verbose=0)


def pytorch(sentences: list[np.ndarray], seed: int, bfloat16: bool, **options) -> Callable[[int], None]:
    """Returns what runs one epoch of the PyTorch peer, on batches padded to their longest sentence."""
    import torch
    from pytorch_lrcn import LRCN, Trainer

    torch.manual_seed(seed)
    torch.set_num_threads(cores())
    trainer = Trainer(LRCN(VOCABULARY, R_WIDTH, **options), bfloat16)
    data = batches(sentences, seed, bucketed=False)

    def epoch(number: int) -> None:
        data.epoch = number
        trainer.epoch(data)

    return epoch


CONTENDERS: dict[str, Callable[[list[np.ndarray], int], Callable[[int], None]]] = {
    BASELINE: lambda *stream: pytorch(*stream, bfloat16=False),
    "PyTorch bfloat16": lambda *stream: pytorch(*stream, bfloat16=True),
    "PyTorch float32, r projected once": lambda *stream: pytorch(*stream, bfloat16=False, project_once=True),
    "PyTorch bfloat16, r projected once": lambda *stream: pytorch(*stream, bfloat16=True, project_once=True),
    "InterpNet float32": lambda *stream: interpnet(*stream, "float32", bucketed=True),
    "InterpNet bfloat16": lambda *stream: interpnet(*stream, "mixed_bfloat16", bucketed=True),
    "InterpNet float32, not bucketed": lambda *stream: interpnet(*stream, "float32", bucketed=False),
    "InterpNet bfloat16, not bucketed": lambda *stream: interpnet(*stream, "mixed_bfloat16", bucketed=False),
}


def cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(
    runs: dict[str, Callable[[int], None]], rounds: int, warmup: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Returns the seconds, as `clock` counts them, of each contender in each round.

    Every round begins with another contender.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for number in range(warmup + rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            begin = clock()
            runs[name](number)
            if number >= warmup:
                seconds[name].append(clock() - begin)
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
    import keras
    import tensorflow as tf
    import torch

    versions = {"tensorflow": tf.__version__, "keras": keras.__version__, "torch": torch.__version__}
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
    clock = time.perf_counter
    if options.one_core:
        if not hasattr(os, "sched_setaffinity"):
            parser.error("--one-core needs Linux, where a process can choose its cores")
        # Before TensorFlow and PyTorch are imported: they start as many threads as there are cores.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        clock = time.process_time
    elif os.getloadavg()[0] > 0.5:
        print("Other processes are running: wall-clock times will mislead; see --one-core", file=sys.stderr)
    try:
        import torch  # noqa: F401
    except ImportError:
        sys.exit("This benchmark compares with PyTorch, which is not installed: pip install torch")

    from pytorch_lrcn import supports_bfloat16

    from interpnet_tf import memory

    memory.keep_freed_memory()  # for every contender: they share the process
    chosen = [name for name in CONTENDERS if any(part in name for part in [BASELINE, *options.only])]
    if not supports_bfloat16():
        chosen = [name for name in chosen if not name.startswith("PyTorch bfloat16")]
        print("PyTorch's LSTM has no bfloat16 on this processor: left out", file=sys.stderr)
    sentences = sentence_stream(options.sentences, options.seed)
    about = environment()
    runs = {name: CONTENDERS[name](sentences, options.seed) for name in chosen}
    results = summarise(measure(runs, options.rounds, options.warmup, clock), options.sentences)
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
