"""Warm-up records: requests that a server runs before a version goes into service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf


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
    samples: np.ndarray | None = None,
    seed: int = 0,
) -> dict[str, dict[str, np.ndarray]]:
    """Makes up inputs for each signature.

    Args:
        signatures: see `signatures.concrete_functions`.
        count: rows of each input.
        samples: examples for the input `x`, repeated as often as it takes; by default noise.
        seed: of the noise.

    Returns:
        For each signature its inputs by name. Image files are PNGs of the pictures that `x` gets.
    """
    spec = signatures["serving_default"].structured_input_signature[0][0]
    if samples is None:
        random = np.random.default_rng(seed)
        shape = (count, *spec.shape[1:])
        samples = random.integers(0, 256, shape) if spec.dtype == tf.uint8 else random.random(shape)
    x = np.resize(np.asarray(samples), (count, *spec.shape[1:])).astype(spec.dtype.as_numpy_dtype)
    requests = {}
    for name in signatures:
        if name == "serving_bytes":
            files = [tf.io.encode_png(picture).numpy() for picture in x]
            requests[name] = {"image_bytes": np.array(files, dtype=object)}
        else:
            requests[name] = {"x": x}
    return requests
