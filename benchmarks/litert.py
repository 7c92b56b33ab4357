"""Explains one example at a time with LiteRT, on one thread, beside the same model's SavedModel.

Every number comes from a process of its own, pinned to one core:

    python benchmarks/litert.py                 # the paper's sizes, random weights
    python benchmarks/litert.py --run runs/cub2 # what quantization does to a trained model's sentences
    python benchmarks/litert.py --photograph    # MobileNetV3Small in front: pixels in, sentence out
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

WORDS, VOCABULARY, FEATURES, CLASSES = 16, 5700, 8192, 200
QUANTIZATIONS = (None, "float16", "dynamic", "int8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--decoder", default="lrcn", choices=("lrcn", "transformer"))
    parser.add_argument("--photograph", action="store_true", help="MobileNetV3Small at 224 pixels in front")
    parser.add_argument("--run", metavar="RUN", help="compare sentences of a run folder's test split instead")
    parser.add_argument("--root", help="folder of the run's data set, where it has moved")
    parser.add_argument(
        "--rounds", type=int, default=5, help="processes a number, of which the median counts"
    )
    parser.add_argument("--measure", nargs=2, metavar=("KIND", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(_measure(*options.measure)))
    elif options.run:
        _compare_sentences(options.run, options.root)
    else:
        _compare_times(options)


def _compare_times(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        contenders = _export(Path(folder), options.decoder, options.photograph)
        results: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
        for _ in range(options.rounds):
            for name, path in contenders.items():
                kind = "litert" if path.suffix == ".tflite" else "saved_model"
                command = [sys.executable, __file__, "--measure", kind, str(path)]
                results[name].append(json.loads(subprocess.check_output(command, text=True)))
        _print_table(results, {name: _size(path) for name, path in contenders.items()})


def _print_table(results: dict[str, list[dict[str, float]]], sizes: dict[str, int]) -> None:
    medians = {
        name: {key: float(np.median([row[key] for row in rows])) for key in rows[0]}
        for name, rows in results.items()
    }
    base = medians["SavedModel"]["milliseconds"]
    float32 = sizes["LiteRT None"]
    print(f"{'':18}{'ms':>8}{'times faster':>14}{'MB':>8}{'of float32':>12}{'cold start ms':>15}")
    for name, row in medians.items():
        print(
            f"{name:18}{row['milliseconds']:8.2f}{base / row['milliseconds']:14.1f}{sizes[name] / 1e6:8.1f}"
            f"{sizes[name] / float32:12.0%}{row['cold_start']:15.0f}"
        )


def _export(folder: Path, decoder: str, photograph: bool) -> dict[str, Path]:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from interpnet_tf.export.litert import export_litert
    from interpnet_tf.export.saved_model import export_saved_model

    model = _random_model(decoder, photograph)
    shape = model.classifier.input_shape[1:]
    noise = np.random.default_rng(0)
    x = noise.uniform(0, 255, (1, *shape)) if photograph else noise.standard_normal((1, *shape))
    np.save(folder / "x.npy", x.astype("float32"))

    contenders = {"SavedModel": export_saved_model(model, folder / "1")}
    for quantize in QUANTIZATIONS:
        path = folder / f"{quantize}.tflite"
        samples = np.repeat(x, 8, axis=0).astype("float32") if quantize == "int8" else None
        contenders[f"LiteRT {quantize}"] = export_litert(model, path, quantize, samples, max_length=WORDS)
    return contenders


def _random_model(decoder: str, photograph: bool) -> Any:
    """A model of the paper's sizes that never ends a sentence, so that all have 16 words."""
    import keras

    import interpnet_tf as itf

    keras.utils.set_random_seed(0)
    if photograph:
        backbone = keras.applications.MobileNetV3Small(
            input_shape=(224, 224, 3), include_top=False, pooling="avg", weights=None
        )
        image = keras.Input((224, 224, 3), name="image")
        classifier = itf.classifiers.join(
            keras.Model(image, backbone(image)), itf.classifiers.mlp(backbone.output_shape[-1], CLASSES)
        )
        layers = None
    else:
        classifier = itf.classifiers.mlp(FEATURES, CLASSES)
        layers = itf.classifiers.variant_layers("interpnet-2")
    tokenizer = itf.ExplanationTokenizer([f"word{index}" for index in range(VOCABULARY - 4)])
    model = itf.InterpNet(classifier, tokenizer, layers, decoder, max_length=WORDS)
    end = tokenizer.end_id
    if decoder == "lrcn":
        bias = np.zeros(VOCABULARY, "float32")
        bias[end] = -1e3
        model.decoder.output_bias.assign(bias)
    return model


def _measure(kind: str, path: str) -> dict[str, float]:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    x = np.load(Path(path).parent / "x.npy")
    if kind == "litert":
        from ai_edge_litert.interpreter import Interpreter

        begin = time.perf_counter()
        run = Interpreter(path, num_threads=1).get_signature_runner("explain")
        words = np.count_nonzero(run(x=x)["token_ids"])
    else:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        begin = time.perf_counter()
        loaded = tf.saved_model.load(path)
        run = loaded.signatures["serving_default"]
        x = tf.cast(x, run.structured_input_signature[1]["x"].dtype)
        words = np.count_nonzero(run(x=x)["token_ids"])
    cold_start = time.perf_counter() - begin
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        run(x=x)
        times.append(time.perf_counter() - begin)
    return {
        "milliseconds": 1e3 * float(np.median(times)),
        "cold_start": 1e3 * cold_start,
        "words": float(words),
    }


def _compare_sentences(run: str, root: str | None) -> None:
    from interpnet_tf import runs
    from interpnet_tf.export import quality
    from interpnet_tf.export.litert import convert
    from interpnet_tf.export.litert_file import LiteRTModel

    config, model = runs.read(run)
    test = config.load("test", **({"root": root} if root else {})).explained()
    calibration = config.load("validation", **({"root": root} if root else {})).inputs
    said = {}
    for quantize in QUANTIZATIONS:
        begin = time.perf_counter()
        converted = LiteRTModel(convert(model, quantize, calibration))("explain", test.inputs)
        said[quantize] = (model.tokenizer.detokenize(converted["token_ids"]), converted["class_id"])
        explanations = model.explain(test) if quantize is None else None
        if explanations is not None:
            keras_said = [e.text for e in explanations], [e.class_id for e in explanations]
        for base, pair in {"Keras": keras_said, "LiteRT float32": said[None]}.items():
            result = quality.compare(*pair, *said[quantize], test.explanations, test.labels)
            print(f"{quantize} against {base}: {json.dumps(result)} ({time.perf_counter() - begin:.0f} s)")


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


if __name__ == "__main__":
    main()
