"""How long what a user calls takes: in Python, from the command line, and through the server.

    python benchmarks/calls.py
    python benchmarks/calls.py --run demo/interpnet-2

Explains 1, 32 and 256 pictures of sketchbirds with a run folder (by default the demo's network, trained for a
moment), and prints a table of milliseconds, whole calls from pictures to records. The first row is the traced
graph itself, tensors in and arrays out: what a call adds to it is ours. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import base64
import functools
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from serving import Server

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BATCHES = (1, 32, 256)
GRAPH, SHELL = "the graph itself", "interpnet explain RUN FILE…"
INTERPNET = [sys.executable, "-m", "interpnet_tf.cli"]
_SECONDS = 2.0  # that the calls of a contender take in a round
Call = Callable[[], object]


def train(run: Path) -> None:
    """Trains the demo's network on few pictures, until it ends its sentences."""
    options = (
        "--per-species 12 --units 192 --minimum-count 1 --batch-size 64 --learning-rate 0.004 --epochs 6"
    )
    command = [*INTERPNET, "train", "--data", "sketchbirds", *options.split(), "--out", str(run)]
    subprocess.run([*command, "--classifier-epochs", "2"], check=True, stdout=subprocess.DEVNULL)


def in_python(run: Path, pictures: np.ndarray) -> dict[str, Call]:
    """Returns the graph that explains, and what stands around it, for a batch of pictures."""
    import tensorflow as tf

    import interpnet_tf as itf
    from interpnet_tf.generation.decoding import GREEDY
    from interpnet_tf.generation.explaining import explain_batch

    model = itf.load(run / "model.keras")
    body = functools.partial(explain_batch, model, max_length=model.max_length, decoding=GREEDY)
    spec = tf.TensorSpec((None, *pictures.shape[1:]), pictures.dtype)
    graph = tf.function(body).get_concrete_function(spec, tf.TensorSpec((2,), tf.int32))
    # `explain` takes 64 examples at a time, as there is no more to be gained from there on.
    parts = [tf.constant(pictures[begin : begin + 64]) for begin in range(0, len(pictures), 64)]
    seed = tf.constant([0, 0])
    return {
        GRAPH: lambda: [[result.numpy() for result in graph(part, seed)] for part in parts],
        "model.explain(x)": lambda: model.explain(pictures),
        'model.explain(x, sampler="beam")': lambda: model.explain(pictures, sampler="beam"),
    }


def from_the_shell(run: Path, files: list[Path]) -> Call:
    """Returns a process that starts, explains files, and ends."""
    command = [*INTERPNET, "explain", str(run), *map(str, files)]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def over_rest(server: Server, contents: list[bytes]) -> Call:
    """Returns a request of picture files."""
    instances = [{"image_bytes": {"b64": base64.b64encode(content).decode()}} for content in contents]
    body = json.dumps({"signature_name": "serving_bytes", "instances": instances}).encode()

    def ask() -> None:
        connection = http.client.HTTPConnection(server.rest, timeout=600)
        connection.request("POST", "/v1/models/model:predict", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        if len(content.get("predictions", ())) != len(contents):
            raise SystemExit(f"the server answered with status {answer.status}: {content}")
        connection.close()

    return ask


def over_grpc(server: Server, contents: list[bytes]) -> Call:
    """Returns a request of picture files."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(server.grpc))
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "model", "serving_bytes"
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(np.array(contents, object), tf.string))
    return lambda: stub.Predict(request, timeout=600).outputs["explanation"].string_val[0]


def milliseconds(call: Call, once: bool) -> float:
    """Returns the median time of calls, at least three of them, or of a single one."""
    seconds: list[float] = []
    while not seconds or (not once and (sum(seconds) < _SECONDS or len(seconds) < 3)):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return 1000 * float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="run folder on sketchbirds (default: trained now)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()

    import keras

    from interpnet_tf.data import sketchbirds
    from interpnet_tf.support import memory

    memory.keep_freed_memory()  # as the command line does
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run = options.run or folder / "run"
        if options.run is None:
            train(run)
        pictures = sketchbirds.load("test").inputs[: max(BATCHES)]
        files = [folder / f"{index}.png" for index in range(len(pictures))]
        for file, picture in zip(files, pictures, strict=True):
            keras.utils.save_img(file, picture, scale=False)
        contents = [file.read_bytes() for file in files]
        export = [*INTERPNET, "export", str(run), str(folder / "export" / "1")]
        subprocess.run(export, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with Server(folder / "export", ["--max-batch-size", str(max(BATCHES))]) as server:
            calls: dict[str, dict[int, Call]] = {}
            for batch in BATCHES:
                contenders = {
                    **in_python(run, pictures[:batch]),
                    SHELL: from_the_shell(run, files[:batch]),
                    "interpnet serve, REST": over_rest(server, contents[:batch]),
                    "interpnet serve, gRPC": over_grpc(server, contents[:batch]),
                }
                for name, call in contenders.items():
                    calls.setdefault(name, {})[batch] = call
                    if name != SHELL:
                        call()  # traces, connects
            rounds = [
                {
                    name: {batch: milliseconds(call, name == SHELL) for batch, call in of_one.items()}
                    for name, of_one in calls.items()
                }
                for _ in range(options.rounds)
            ]
    report(rounds, options.json)


def report(rounds: list[dict[str, dict[int, float]]], as_json: bool) -> None:
    """Prints the medians over the rounds; a ratio compares two contenders within a round."""
    table = {
        name: {
            batch: {
                "milliseconds": float(np.median([one[name][batch] for one in rounds])),
                "ratio": float(np.median([one[name][batch] / one[GRAPH][batch] for one in rounds])),
            }
            for batch in BATCHES
        }
        for name in rounds[0]
    }
    if as_json:
        print(json.dumps(table))
        return
    print("| ms |", " | ".join(f"batch {batch} | ratio" for batch in BATCHES), "|")
    print("|---|" + "---|" * (2 * len(BATCHES)))
    for name, of_one in table.items():
        cells = (f"{cell['milliseconds']:.1f} | {cell['ratio']:.2f}" for cell in of_one.values())
        print(f"| {name} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
