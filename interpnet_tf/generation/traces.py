"""`Traces`: the graphs of a function, each traced once, the ones used last kept."""

from __future__ import annotations

import collections
import functools
import threading
from collections.abc import Callable, Hashable
from typing import Any

import keras
import tensorflow as tf


class Traces:
    """Runs a function as graphs: one for each set of options, for any number of examples.

    A `tf.function` traces anew for each Python object that it has not met, be it equal to one that it has,
    and for each number of examples, and keeps all traces as long as it lives. Here options are compared by
    value, the number of examples is left open from the first trace on, and of the graphs only those that were
    used last are kept.

    Args:
        function: called as `function(examples, *others, **options)`.
        most: for how many sets of options graphs are kept.

    Call arguments:
        examples: structure of tensors whose first axis is the examples.
        *others: structures of tensors whose shapes stay as they are.
        **options: hashable values, which the graph takes for constants.

    Example:

    >>> powers = Traces(lambda x, exponent: x**exponent)
    >>> [powers(tf.fill((size,), 2.0), exponent=3).numpy().tolist() for size in (1, 2)]
    [[8.0], [8.0, 8.0]]
    >>> powers.experimental_get_tracing_count()
    1
    """

    def __init__(self, function: Callable[..., Any], most: int = 16) -> None:
        self._function, self._most = function, most
        self._graphs: collections.OrderedDict[Hashable, _Graph] = collections.OrderedDict()
        self._dropped = 0
        self._lock = threading.Lock()

    def __call__(self, examples: Any, *others: Any, **options: Hashable) -> Any:
        key = tuple(sorted(options.items()))
        with self._lock:
            if key not in self._graphs:
                self._graphs[key] = _Graph(functools.partial(self._function, **options))
            graph = self._graphs[key]
            self._graphs.move_to_end(key)
            while len(self._graphs) > self._most:
                _, old = self._graphs.popitem(last=False)
                self._dropped += old.tracing_count
        return graph(examples, *others)

    def experimental_get_tracing_count(self) -> int:
        """Returns how often the function was traced, as the method of the same name of a `tf.function`."""
        with self._lock:
            return self._dropped + sum(graph.tracing_count for graph in self._graphs.values())


class _Graph:
    """A function as a `tf.function` that is traced for any number of examples from the beginning."""

    def __init__(self, function: Callable[..., Any]) -> None:
        # Where examples differ in further axes, such as the length of texts, these become open as well.
        self._function = tf.function(function, reduce_retracing=True, autograph=False)
        self._known: set[Hashable] = set()

    def __call__(self, examples: Any, *others: Any) -> Any:
        paths = keras.tree.flatten_with_path(examples)
        kinds = tuple((path, part.dtype, *part.shape[1:]) for path, part in paths)
        if kinds not in self._known:
            self._function.get_concrete_function(tf.nest.map_structure(_any_number, examples), *others)
            self._known.add(kinds)
        return self._function(examples, *others)

    @property
    def tracing_count(self) -> int:
        return self._function.experimental_get_tracing_count()


def _any_number(part: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *part.shape[1:]), part.dtype)
