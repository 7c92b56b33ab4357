"""A SavedModel in memory, and its signatures: what the server runs."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2
from tensorflow_serving.apis import prediction_log_pb2

from interpnet_tf.serving import tensors
from interpnet_tf.serving.errors import ServingError, invalid
from interpnet_tf.serving.pictures import INPUT
from interpnet_tf.serving.specs import TensorSpec, check_names

DEFAULT_SIGNATURE = "serving_default"
CARD = "model_card.json"
WARM_UP = "assets.extra/tf_serving_warmup_requests"
MOST_WARM_UP_RECORDS = 1000
BESIDE_THREADS = 2  # for what runs beside other requests


class Signature:
    """One function of a SavedModel: named arrays in, named arrays out.

    Args:
        name: of the signature.
        definition: its `SignatureDef`.
        session: holds the loaded graph.
        may_be_missing: names of inputs that may hold NaN, for what is missing.
    """

    def __init__(self, name: str, definition: Any, session: Any, may_be_missing: Collection[str] = ()):
        self.name, self._may_be_missing = name, frozenset(may_be_missing)
        self.inputs = {
            key: TensorSpec.from_info(key, info) for key, info in sorted(definition.inputs.items())
        }
        self.outputs = {
            key: TensorSpec.from_info(key, info) for key, info in sorted(definition.outputs.items())
        }
        every = [*self.inputs.values(), *self.outputs.values()]
        self.is_batched = bool(self.inputs) and all(spec.has_open_batch for spec in every)
        tensors = [spec.tensor for spec in self.outputs.values()]
        feed_list = [spec.tensor for spec in self.inputs.values()]
        self._run = session.make_callable(tensors, feed_list=feed_list)
        self._run_beside = self._run
        if INPUT in self.inputs:
            # `make_callable` takes no thread pool. `run` does, but the first run would hold all others up
            # while it prepares the graph.
            options = config_pb2.CallableOptions(feed=feed_list, fetch=tensors)
            options.run_options.inter_op_thread_pool = 1
            self._run_beside = session._make_callable_from_options(options)

    def __call__(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs the graph; arrays as `check` lets them pass."""
        return self._named(self._run(*(arrays[name] for name in self.inputs)))

    def beside(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a graph that reads pictures on threads of its own, so that other runs need not wait."""
        return self._named(self._run_beside(*(arrays[name] for name in self.inputs)))

    def _named(self, outputs: Sequence[Any]) -> dict[str, np.ndarray]:
        return {
            spec.name: np.asarray(value, spec.dtype.as_numpy_dtype)
            for spec, value in zip(self.outputs.values(), outputs, strict=True)
        }

    def check_names(self, names: set[str]) -> None:
        """Refuses a request that lacks an input or has one too many."""
        check_names(names, self.name, self.inputs)

    def check(self, arrays: Mapping[str, np.ndarray]) -> int:
        """Refuses arrays that the graph does not take, and numbers that are not finite.

        Returns:
            How many rows the request has: the size of the first dimension, 1 where there is none.
        """
        self.check_names(set(arrays))
        for name, array in arrays.items():
            self.inputs[name].check_shape(array.shape)
            if not self.inputs[name].dtype.is_floating:
                continue
            finite = ~np.isinf(array) if name in self._may_be_missing else np.isfinite(array)
            if not finite.all():
                place = [int(index) for index in np.unravel_index(np.argmin(finite), array.shape)]
                raise invalid(
                    f'input "{name}" holds a number that is not finite (NaN, infinity, or too large for '
                    f"{self.inputs[name].dtype.name}) at {place}; send finite numbers"
                )
        if not self.is_batched:
            return 1
        rows = {name: array.shape[0] for name, array in arrays.items()}
        if len(set(rows.values())) > 1:
            raise invalid(f"the inputs differ in their number of rows: {rows}; send as many of each")
        count = next(iter(rows.values()))
        if count == 0:
            raise invalid("the batch is empty; send at least one row")
        return count


class Servable:
    """A version of a model, loaded as TensorFlow Serving loads it: into a session.

    A session runs the very graph of the file, and gives its memory back when it is closed; what
    `tf.saved_model.load` returns lives until Python's garbage collector comes by.

    Args:
        path: a SavedModel with the tag `serve`.

    Attributes:
        definitions: the `SignatureDef` of each signature, by name.

    Raises:
        ValueError: if the folder holds no SavedModel that can be served.
    """

    def __init__(self, path: Path):
        self.path, may_be_missing = path, _may_be_missing(path)
        graph = tf.Graph()
        config = tf.compat.v1.ConfigProto()
        for threads in (0, BESIDE_THREADS):  # 0: as many as TensorFlow likes
            config.session_inter_op_thread_pool.add(num_threads=threads)
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            with graph.as_default():
                meta_graph = tf.compat.v1.saved_model.load(self._session, ["serve"], str(path))
            self.definitions = dict(meta_graph.signature_def)
            self._signatures = {
                name: Signature(name, definition, self._session, may_be_missing)
                for name, definition in self.definitions.items()
                if definition.inputs and definition.outputs
            }
            self._warm_up()
        except BaseException:
            self._session.close()
            raise
        finally:
            graph.finalize()

    def signature(self, name: str, code: grpc.StatusCode = grpc.StatusCode.FAILED_PRECONDITION) -> Signature:
        """Returns the signature of a name ("" means `serving_default`).

        Raises:
            ServingError: with `code`, if there is none.
        """
        name = name or DEFAULT_SIGNATURE
        if name not in self._signatures:
            raise ServingError(
                code, f'Serving signature key "{name}" not found; this model has {sorted(self._signatures)}'
            )
        return self._signatures[name]

    def close(self) -> None:
        """Frees the variables. No signature can run afterwards."""
        self._session.close()

    def _warm_up(self) -> None:
        """Runs the requests that come with the model, so that the first client does not wait for it."""
        path = self.path / WARM_UP
        if not path.exists():
            return
        for record in tf.data.TFRecordDataset(str(path)).take(MOST_WARM_UP_RECORDS).as_numpy_iterator():
            logged = prediction_log_pb2.PredictionLog.FromString(record)
            if logged.HasField("predict_log"):
                request = logged.predict_log.request
                signature = self.signature(request.model_spec.signature_name)
                arrays = tensors.read_inputs(request.inputs, signature, math.inf)
                signature.check(arrays)
                signature(arrays)


def _may_be_missing(path: Path) -> list[str]:
    """Returns the inputs that may hold NaN, as the card beside a model tells; none without a card."""
    try:
        return list(json.loads((path / CARD).read_text("utf-8")).get("may_be_missing", ()))
    except (OSError, ValueError, AttributeError, TypeError):
        return []
