"""Load on `interpnet serve`: latency and throughput on loopback, while a new version is swapped in.

    python benchmarks/serving.py                                # a tiny model
    python benchmarks/serving.py --version-folder export/birds/1

Starts the server as a process of its own, sends requests of one example each from clients that wait for
their answer, and adds a second version after a quarter of them. Every request must be answered with status
200 (gRPC: OK). The load is bounded by the number of clients; they share the processors with the server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

REST, GRPC = "rest", "grpc"


def write_tiny_model(folder: Path) -> None:
    """Writes a classifier of eight numbers."""
    import tensorflow as tf

    class Tiny(tf.Module):
        def __init__(self):
            super().__init__()
            self.weights = tf.Variable(tf.random.stateless_normal((8, 3), (0, 0)))

        @tf.function(input_signature=[tf.TensorSpec((None, 8), tf.float32, name="x")])
        def classify(self, x):
            return {"probabilities": tf.nn.softmax(x @ self.weights)}

    tiny = Tiny()
    tf.saved_model.save(tiny, str(folder), signatures={"serving_default": tiny.classify})


class Server:
    """`interpnet serve` on free ports, until the block ends."""

    def __init__(self, export_dir: Path, arguments: list[str]):
        ports = ["--rest-port", "0", "--grpc-port", "0", "--model-name", "model"]
        command = [sys.executable, "-m", "interpnet_tf.cli", "serve", str(export_dir), *ports, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        text = ""
        while "gRPC  " not in text:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"the server did not start: {' '.join(command)}")
            text += line
        self.rest = re.search(r"REST  http://([^/]+)", text)[1]
        self.grpc = re.search(r"gRPC  (\S+)", text)[1]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60):
            raise SystemExit(f"the server ended with code {self.process.returncode}")

    def get(self, path: str) -> bytes:
        """Returns what a path of the REST port holds."""
        connection = http.client.HTTPConnection(self.rest, timeout=30)
        connection.request("GET", path)
        return connection.getresponse().read()

    def example(self) -> np.ndarray:
        """Returns an input that the model reads: `x` of one row."""
        metadata = json.loads(self.get("/v1/models/model/metadata"))
        signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
        shape = [max(1, int(one["size"])) for one in signature["inputs"]["x"]["tensor_shape"]["dim"]]
        random = np.random.default_rng(0)
        if signature["inputs"]["x"]["dtype"] == "DT_UINT8":
            return random.integers(0, 256, shape, "uint8")
        return random.random(shape).round(4).astype("float32")


def rest_client(server: Server, x: np.ndarray) -> Callable[[], bool]:
    """Returns a function that asks once, and tells whether that went well."""
    connection = http.client.HTTPConnection(server.rest, timeout=60)
    values = x.astype("U32").astype("float64").tolist() if x.dtype == np.float32 else x.tolist()
    body = json.dumps({"instances": values}).encode()
    headers = {"Content-Type": "application/json"}

    def ask() -> bool:
        connection.request("POST", "/v1/models/model:predict", body, headers)
        answer = connection.getresponse()
        return b'"predictions"' in answer.read() and answer.status == 200

    return ask


def grpc_client(server: Server, x: np.ndarray) -> Callable[[], bool]:
    """Returns a function that asks once, and tells whether that went well."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    # A connection of its own, as separate clients have.
    channel = grpc.insecure_channel(server.grpc, options=[("grpc.use_local_subchannel_pool", 1)])
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "model"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(x))
    return lambda: bool(stub.Predict(request, timeout=60).outputs)


def load(
    server: Server, api: str, clients: int, requests: int, at_quarter: Callable[[], None]
) -> tuple[list[float], int, float]:
    """Sends requests from several clients at once.

    Returns:
        Seconds that each answer took, how many requests failed, and seconds for all.
    """
    x = server.example()
    make = rest_client if api == REST else grpc_client
    tickets: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(requests):
        tickets.put(number)
    seconds: list[float] = []
    errors: list[str] = []
    ready = threading.Barrier(clients + 1)

    def work() -> None:
        ask = make(server, x)
        ask()  # connects
        ready.wait()
        while True:
            try:
                number = tickets.get_nowait()
            except queue.Empty:
                return
            if number == requests // 4:
                at_quarter()
            begin = time.perf_counter()
            try:
                if not ask():
                    errors.append("another status than 200")
            except Exception as error:
                errors.append(repr(error))
            seconds.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    for error in errors[:3]:
        print("error:", error)
    return seconds, len(errors), time.perf_counter() - begin


def mean_batch(server: Server) -> float:
    """Returns the mean number of rows of the batches that the server has run."""
    metrics = server.get("/metrics").decode()
    total, count = (
        float(re.search(rf"interpnet_serving_batch_rows_{what}{{.*?}} (\S+)", metrics)[1])
        for what in ("sum", "count")
    )
    return total / count


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version-folder", type=Path, help="a SavedModel to serve (default: a tiny one)")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--api", choices=(REST, GRPC), action="append", help="(default: both)")
    parser.add_argument("--batching", choices=("on", "off"), action="append", help="(default: both)")
    parser.add_argument("--serve", default="", help="further arguments of interpnet serve")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    failed = 0
    print(
        f"{options.requests} requests of one example from {options.clients} clients; "
        "a new version comes after a quarter of them"
    )
    print("api   batching  requests/s  p50 ms  p99 ms  worst ms  mean batch  errors  version")
    with tempfile.TemporaryDirectory() as scratch:
        source = options.version_folder or Path(scratch) / "tiny"
        if options.version_folder is None:
            write_tiny_model(source)
        for api in options.api or (REST, GRPC):
            for batching in options.batching or ("on", "off"):
                export_dir = Path(tempfile.mkdtemp(dir=scratch))
                shutil.copytree(source, export_dir / "1")
                shutil.copytree(source, export_dir / ".2.part")
                arguments = [
                    "--poll-seconds",
                    "0.2",
                    *options.serve.split(),
                    *([] if batching == "on" else ["--no-batching"]),
                ]
                with Server(export_dir, arguments) as server:
                    swap = lambda: os.rename(export_dir / ".2.part", export_dir / "2")  # noqa: E731, B023
                    seconds, errors, total = load(server, api, options.clients, options.requests, swap)
                    version = json.loads(server.get("/v1/models/model/metadata"))["model_spec"]["version"]
                    batch = mean_batch(server)
                p50, p99, worst = np.percentile(seconds, [50, 99, 100]) * 1000
                print(
                    f"{api:5} {batching:8}  {len(seconds) / total:10.0f}  {p50:6.1f}  {p99:6.1f}  "
                    f"{worst:8.1f}  {batch:10.1f}  {errors:6}  1 -> {version}",
                    flush=True,
                )
                failed += errors
    if failed:
        raise SystemExit(f"{failed} requests failed")


if __name__ == "__main__":
    main()
