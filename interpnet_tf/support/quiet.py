"""TensorFlow and LiteRT without their chatter."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def silenced_stderr() -> Iterator[None]:
    """Sends what C++ libraries write to standard error to nowhere.

    TensorFlow and LiteRT print lines that no log level holds back, straight to the file descriptor. Python's
    own `sys.stderr` is left alone by the time the block ends, and exceptions pass.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def import_tensorflow() -> None:
    """Imports TensorFlow, Keras and tensorflow-text, starts the runtime, and prints nothing."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ.setdefault("TF_CPP_MAX_VLOG_LEVEL", "0")
    with silenced_stderr():
        import keras
        import tensorflow as tf
        import tensorflow_text

        del tensorflow_text  # importing it loads its ops
        keras.ops.zeros(1)  # the first op finds the devices, and says so
        tf.get_logger().setLevel("ERROR")


@contextlib.contextmanager
def silenced_loggers() -> Iterator[None]:
    """Keeps TensorFlow's Python code from logging, as it does about graphs that it makes itself."""
    loggers = [logging.getLogger(name) for name in ("tensorflow", "absl")]
    loggers = [logger for logger in loggers if not logger.disabled]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger in loggers:
            logger.disabled = False
