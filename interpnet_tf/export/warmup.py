"""Warm-up records: requests that a server runs before a version goes into service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_OPEN_SIZE = 32  # of made-up inputs, where the classifier leaves a size open


def write_warmup(
    folder: str | os.PathLike,
    requests: Mapping[str, Mapping[str, np.ndarray]],
    model_name: str,
    batch_sizes: tuple[int, ...],
) -> int:
    """Writes the warm-up requests of a SavedModel where TensorFlow Serving looks for them.

    The first request of each size pays for memory and for optimizing the graph; a server that meets it in
    warm-up spares its users the wait.

    Args:
        folder: of the SavedModel.
        requests: for each signature its inputs by name, of which the first rows are taken.
        model_name: name under which the model is served.
        batch_sizes: rows of the requests to write; every input must have so many.

    Returns:
        The number of records.

    References:
    - [SavedModel Warmup](https://www.tensorflow.org/tfx/serving/saved_model_warmup)
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = Path(folder) / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(exist_ok=True)
    count = 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            for batch_size in batch_sizes:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = model_name
                request.model_spec.signature_name = signature
                for name, values in inputs.items():
                    request.inputs[name].CopyFrom(tf.make_tensor_proto(values[:batch_size]))
                log = prediction_log_pb2.PredictionLog()
                log.predict_log.request.CopyFrom(request)
                writer.write(log.SerializeToString())
                count += 1
    return count


def example_requests(
    signatures: Mapping[str, tf.types.experimental.ConcreteFunction],
    count: int,
    samples: Any = None,
    seed: int = 0,
) -> dict[str, dict[str, np.ndarray]]:
    """Makes up inputs for each signature.

    Args:
        signatures: see `signatures.concrete_functions`.
        count: rows of each input.
        samples: examples for the input `x`, or a dict of them by input, repeated as often as it takes; by
            default noise, or empty texts.
        seed: of the noise.

    Returns:
        For each signature its inputs by name. Image files are PNGs of the pictures that `x` gets.

    Raises:
        ValueError: if there are no samples and the model fails on made-up inputs.
    """
    specs = signatures["serving_default"].structured_input_signature[0]
    if samples is None:
        inputs = {spec.name: _made_up(spec, count, seed) for spec in specs}
        _check_runs(signatures["serving_default"], inputs)
    else:
        of_input = samples if isinstance(samples, Mapping) else {specs[0].name: samples}
        inputs = {spec.name: _repeated(np.asarray(of_input[spec.name]), spec, count) for spec in specs}
    requests = {}
    for name in signatures:
        if name == "serving_bytes":
            files = [tf.io.encode_png(picture).numpy() for picture in inputs["x"]]
            requests[name] = {"image_bytes": np.array(files, dtype=object)}
        else:
            requests[name] = inputs
    return requests


def _repeated(samples: np.ndarray, spec: tf.TensorSpec, count: int) -> np.ndarray:
    sizes = [size or given for size, given in zip(spec.shape[1:], samples.shape[1:], strict=False)]
    shape = (count, *sizes, *spec.shape[1 + len(sizes) :])
    return np.resize(samples, shape).astype(spec.dtype.as_numpy_dtype)


def _made_up(spec: tf.TensorSpec, count: int, seed: int) -> np.ndarray:
    shape = (count, *(size or _OPEN_SIZE for size in spec.shape[1:]))
    if spec.dtype == tf.string:
        return np.full(shape, b"", dtype=object)
    random = np.random.default_rng(seed)
    made_up = random.integers(0, 256, shape) if spec.dtype == tf.uint8 else random.random(shape)
    return made_up.astype(spec.dtype.as_numpy_dtype)


def _check_runs(function: tf.types.experimental.ConcreteFunction, inputs: Mapping[str, np.ndarray]) -> None:
    """Runs a made-up request: a server that fails on one in its warm-up does not load the model."""
    specs = function.structured_input_signature[0]
    try:
        function(*(tf.constant(inputs[spec.name][:1], spec.dtype) for spec in specs))
    except tf.errors.OpError as error:
        raise ValueError(
            "the model fails on an input made up for the server's warm-up "
            f"({error.message.splitlines()[0]}); pass some of its real inputs as samples"
        ) from error
