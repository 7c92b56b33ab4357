"""Data that come batch by batch: `tf.data` pipelines, `keras.utils.PyDataset`s, generators, data loaders."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf


def is_stream(x: Any) -> bool:
    """Returns whether `x` gives batches one after the other, rather than being arrays."""
    if isinstance(x, (tf.data.Dataset, keras.utils.PyDataset)):
        return True
    is_data = isinstance(x, (str, bytes, list, tuple, Mapping)) or any(
        hasattr(x, of_arrays) for of_arrays in ("shape", "__array__", "to_numpy")
    )
    return isinstance(x, Iterable) and not is_data


def is_read_once(x: Any) -> bool:
    """Returns whether a stream is used up once it is read, as a generator is."""
    return isinstance(x, Iterator)


def number_of_batches(x: Any) -> float | None:
    """Returns how many batches a stream gives: a number, infinity, or `None` if it does not tell."""
    if isinstance(x, tf.data.Dataset):
        count = int(x.cardinality())
        return {tf.data.INFINITE_CARDINALITY: math.inf, tf.data.UNKNOWN_CARDINALITY: None}.get(count, count)
    if isinstance(x, keras.utils.PyDataset):
        return math.inf if x.num_batches is None else x.num_batches
    return len(x) if hasattr(x, "__len__") else None


def batches(x: Any, steps: int | None = None) -> Iterator[Any]:
    """Yields the batches of a stream, from its beginning where it has one.

    Args:
        x: the stream.
        steps: the most batches; `None` is all of them.

    Raises:
        ValueError: if the stream never ends and there is no number of steps.
    """
    if steps is None and number_of_batches(x) == math.inf:
        raise ValueError(
            "the data never end, as they repeat without a count; give a part of them, such as "
            "dataset.take(10), or the number of steps to take (steps_per_epoch, validation_steps, steps)"
        )
    return itertools.islice(iterate(x), steps)


def iterate(x: Any) -> Iterator[Any]:
    """Returns an iterator over the batches of a stream, which may never end."""
    return _of_py_dataset(x) if isinstance(x, keras.utils.PyDataset) else iter(x)


def _of_py_dataset(x: keras.utils.PyDataset) -> Iterator[Any]:
    x.on_epoch_begin()
    for index in itertools.count() if x.num_batches is None else range(x.num_batches):
        yield x[index]
    x.on_epoch_end()
