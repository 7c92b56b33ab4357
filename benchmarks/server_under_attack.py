"""What other clients of `interpnet serve` notice while one means harm, on loopback.

    python benchmarks/server_under_attack.py
    python benchmarks/server_under_attack.py --attack "empty lists" --attack "half-sent headers"

Starts the server as a process of its own and runs each attack in another one, for some seconds. Meanwhile a
client asks every tenth of a second for a prediction over REST, one over gRPC, and for `/healthz`. Printed are
how often it asked, how often it got no answer, the longest that it waited for one, the most memory that the
server and the processes that read JSON for it took, and whether new versions were still looked for. The
attacks share the processors with the server.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from attacks import ATTACKS
from serving import Server, grpc_client, rest_client

SECONDS = 12.0  # that an attack may go on


def write_model(folder: Path) -> None:
    """Writes a model that reads numbers, or files of pictures, and one that says much."""
    import tensorflow as tf

    from interpnet_tf.export.image_bytes import decode_images

    class Tiny(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 8), tf.float32, name="x")])
        def add(self, x):
            return {"sum": tf.reduce_sum(x, 1)}

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="image_bytes")])
        def read(self, image_bytes):
            pixels = tf.cast(decode_images(image_bytes, 64), tf.float32)
            return {"brightness": tf.reduce_mean(pixels, (1, 2, 3))}

        @tf.function(input_signature=[tf.TensorSpec((None, 8), tf.float32, name="x")])
        def talk(self, x):
            return {"much": tf.tile(tf.reduce_sum(x, 1, keepdims=True), (1, 20_000))}

    tiny = Tiny()
    signatures = {"serving_default": tiny.add, "serving_bytes": tiny.read, "talk": tiny.talk}
    tf.saved_model.save(tiny, str(folder), signatures=signatures)


class Bystander:
    """A client that asks every tenth of a second, and remembers how long it waited."""

    def __init__(self, server: Server):
        x = np.float32([[1.5] * 8])
        asks = {
            "REST": rest_client(server, x),
            "gRPC": grpc_client(server, x),
            "/healthz": self._health(server),
        }
        self.waits: dict[str, list[float]] = {name: [] for name in asks}
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=one) for one in asks.items()]

    def _health(self, server: Server) -> Callable[[], bool]:
        def ask() -> bool:
            connection = http.client.HTTPConnection(server.rest, timeout=60)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200

        return ask

    def _work(self, name: str, ask: Callable[[], bool]) -> None:
        while not self._stop.wait(0.1):
            begin = time.perf_counter()
            try:
                if not ask():
                    self.failures.append(f"{name}: another status than 200")
            except Exception as error:
                self.failures.append(f"{name}: {error!r}")
            self.waits[name].append(time.perf_counter() - begin)

    def __enter__(self) -> Bystander:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def processes(server: Server) -> list[int]:
    """Returns the numbers of the server's process and of those that it has started."""
    number = server.process.pid
    found = [number]
    for task in Path(f"/proc/{number}/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


def peak_memory(number: int) -> int:
    """Returns the most memory that a process took, in MiB, and begins to measure anew."""
    try:
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{number}/status").read_text())
        Path(f"/proc/{number}/clear_refs").write_text("5")
    except OSError:
        return 0
    return int(peak[1]) // 1024 if peak else 0


def looks(server: Server) -> int:
    """Returns how often the server has looked for new versions."""
    return int(re.search(r"version_looks\S* (\d+)", server.get("/metrics").decode())[1])


def run_attack(server: Server, name: str, seconds: float) -> Bystander:
    """Runs an attack in a process of its own, beside a client that means well."""
    command = [sys.executable, __file__, "--run", name, server.rest, server.grpc]
    attacker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        attacker.stdout.readline()  # it is ready
        with Bystander(server) as bystander:
            time.sleep(seconds)
            attacker.kill()
            time.sleep(1)
    finally:
        attacker.kill()
        attacker.wait()
    return bystander


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--attack", action="append", choices=list(ATTACKS), help="(default: all)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="that an attack goes on")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.run:
        name, rest, grpc = options.run
        ATTACKS[name](rest, grpc)
        return
    wrong = 0
    print(f"{'attack':22}  asked  failed  worst ms: REST  gRPC  /healthz  server MiB  readers MiB  watched")
    with tempfile.TemporaryDirectory() as scratch:
        export_dir = Path(scratch) / "model"
        write_model(export_dir / "1")
        with Server(export_dir, ["--poll-seconds", "0.2"]) as server:
            for number, name in enumerate(options.attack or ATTACKS):
                for process in processes(server):
                    peak_memory(process)
                before = looks(server)
                shutil.copytree(export_dir / "1", export_dir / f"{number + 2}")
                (export_dir / f"{number + 2}" / "saved_model.pb").write_bytes(b"broken")
                bystander = run_attack(server, name, options.seconds)
                memory = [peak_memory(process) for process in processes(server)]
                worst = [max(waits) * 1000 for waits in bystander.waits.values()]
                watched = looks(server) > before
                asked = sum(map(len, bystander.waits.values()))
                print(
                    f"{name:22}  {asked:5}  {len(bystander.failures):6}  "
                    f"{worst[0]:14.0f}  {worst[1]:4.0f}  {worst[2]:8.0f}  {memory[0]:10}  "
                    f"{sum(memory[1:]):11}  {'yes' if watched else 'NO'}",
                    flush=True,
                )
                for failure in bystander.failures[:3]:
                    print("  ", failure)
                wrong += len(bystander.failures) + (not watched) + (max(worst) > 1000)
    if wrong:
        raise SystemExit("a client waited longer than a second, or got no answer, or nobody watched")


if __name__ == "__main__":
    main()
