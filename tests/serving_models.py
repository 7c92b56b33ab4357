"""Tiny SavedModels, and a server of them in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from interpnet_tf.serving.server import Endpoints, ServerOptions, serve


class Loaded:
    """Stands in for a servable; is in `open_ones` until it is closed."""

    def __init__(self, path=None, open_ones=None):
        self.open_ones = open_ones
        if open_ones is not None:
            open_ones.append(self)

    def close(self):
        if self.open_ones is not None:
            self.open_ones.remove(self)


def put(folder, name):
    """Puts a version into the folder of a model, of which no more than the name of its file is true."""
    (folder / str(name)).mkdir(parents=True)
    (folder / str(name) / "saved_model.pb").write_text("x")


class Toy(tf.Module):
    """Says of rows of three numbers: their double, their number as text, and the version of the model."""

    def __init__(self, number: int):
        super().__init__()
        self.number = tf.Variable(number, dtype=tf.int64)
        self.calls = tf.Variable(0, dtype=tf.int64)

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32, name="x")])
    def double(self, x):
        rows = tf.shape(x)[0]
        return {
            "double": 2 * x,
            "text": tf.strings.join(["sum ", tf.strings.as_string(tf.reduce_sum(x, 1), precision=1)]),
            "version": tf.repeat(self.number, rows),
            "rows_in_batch": tf.repeat(rows, rows),
        }

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="image_bytes")])
    def read_image(self, image_bytes):
        def brightness(data):
            return tf.reduce_mean(tf.cast(tf.io.decode_image(data, 3, expand_animations=False), tf.float32))

        mean = tf.map_fn(brightness, image_bytes, fn_output_signature=tf.float32)
        rows = tf.shape(mean)[0]
        return {
            "label": tf.where(mean > 127, "white", "black"),
            "probability": tf.fill([rows], 0.875),
            "explanation": tf.fill([rows], "this is a <b>bright</b> picture."),
            "words": tf.tile([["this", "is", ""]], [rows, 1]),
            "log_probabilities": tf.tile([tf.math.log([1.0, 0.5, 0.25])], [rows, 1]),
        }

    @tf.function(
        input_signature=[
            tf.TensorSpec((None,), tf.int32, name="a"),
            tf.TensorSpec((None, 2), tf.uint8, name="b"),
            tf.TensorSpec((None,), tf.bool, name="c"),
        ]
    )
    def several(self, a, b, c):
        return {"total": a + tf.reduce_sum(tf.cast(b, tf.int32), 1) + tf.cast(c, tf.int32)}

    @tf.function(input_signature=[tf.TensorSpec((), tf.float32, name="x")])
    def scalar(self, x):
        return {"half": x / 2, "raw_bytes": tf.constant(b"\xff\x00")}

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.float32, name="x")])
    def slow(self, x):
        # A second on any processor: long enough to be caught in the middle.
        begin = tf.timestamp()
        tf.while_loop(lambda now: now < begin + 1, lambda now: (tf.timestamp(),), (begin,))
        return {"version": tf.repeat(self.number, tf.shape(x)[0])}


def write_toy(folder: Path, number: int) -> Path:
    """Writes version `number` of the toy, whole or not at all."""
    toy = Toy(number)
    temporary = folder / f".{number}.part"
    signatures = {
        "serving_default": toy.double,
        "serving_bytes": toy.read_image,
        "several": toy.several,
        "scalar": toy.scalar,
        "slow": toy.slow,
    }
    tf.saved_model.save(toy, str(temporary), signatures=signatures)
    os.replace(temporary, folder / str(number))
    return folder / str(number)


@contextlib.contextmanager
def running(folder: Path, **options) -> Iterator[Endpoints]:
    """Serves a folder in a thread, on free ports, until the block ends."""
    options = {"model_name": "toy", "rest_port": 0, "grpc_port": 0, "poll_seconds": 0.05} | options
    found: list[Endpoints] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    failure: list[BaseException] = []

    def started(endpoints: Endpoints) -> None:
        found.append(endpoints)
        ready.set()

    def work() -> None:
        try:
            loop.run_until_complete(serve(ServerOptions(folder, **options), started, catch_signals=False))
        except BaseException as error:
            failure.append(error)
        finally:
            loop.close()
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(60)
    if failure:
        thread.join()
        raise failure[0]
    try:
        yield found[0]
    finally:
        with contextlib.suppress(RuntimeError):  # it has stopped by itself
            loop.call_soon_threadsafe(found[0].stop)
        thread.join(60)
        assert not thread.is_alive(), "the server did not stop"
        assert not failure, failure
