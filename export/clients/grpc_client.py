"""Asks a server for explanations over gRPC; needs `pip install tensorflow-serving-api`.

    python grpc_client.py photo.jpg another.png
    python grpc_client.py --server localhost:8500 --model birds features.npy
    python grpc_client.py --status

The server is TensorFlow Serving, or `interpnet serve`. gRPC sends arrays as bytes instead of decimal numbers:
take it for many or large arrays. The channel is kept open: make one `Client`, and use it from all threads.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

MIB = 1024 * 1024
ADVICE = {
    grpc.StatusCode.INVALID_ARGUMENT: "the request does not fit the model; see: grpc_client.py --metadata",
    grpc.StatusCode.NOT_FOUND: "the server has no such model or version; see: grpc_client.py --status",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "the message is too large, or the server's queue full; send less",
    grpc.StatusCode.UNAVAILABLE: "is the server running, and the model loaded? see README.md",
    grpc.StatusCode.DEADLINE_EXCEEDED: "raise --timeout, or send fewer inputs a request",
}
# gRPC repeats calls that met a server which is busy or starting, within the call's deadline.
RETRIES = {
    "methodConfig": [
        {
            "name": [
                {"service": "tensorflow.serving.PredictionService"},
                {"service": "tensorflow.serving.ModelService"},
            ],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


class Client:
    """Speaks to one model of a server; safe to share between threads.

    Args:
        server: host and port of the server's gRPC port.
        model: name of the model.
        version: number of a version; by default the newest.
        timeout: seconds until a call is given up, repetitions included (its deadline). The server learns
            of it and drops work that nobody waits for any more.
        max_message: bytes of the largest message; gRPC's own limit of 4 MiB is small for pictures.
    """

    def __init__(
        self,
        server: str = "localhost:8500",
        model: str = "birds",
        version: int | None = None,
        timeout: float = 10.0,
        max_message: int = 64 * MIB,
    ) -> None:
        self.channel = grpc.insecure_channel(
            server,
            options=[
                ("grpc.max_send_message_length", max_message),
                ("grpc.max_receive_message_length", max_message),
                ("grpc.service_config", json.dumps(RETRIES)),
            ],
        )
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.model, self.version, self.timeout = model, version, timeout

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_) -> None:
        self.channel.close()

    def predict(
        self, inputs: dict[str, np.ndarray], signature: str = "serving_default", outputs: tuple[str, ...] = ()
    ) -> dict[str, np.ndarray]:
        """Returns the outputs of a signature for a batch.

        Args:
            inputs: an array for each input, its first axis the batch. The types must be the signature's:
                nothing is converted.
            signature: which function of the model to run.
            outputs: names of the outputs wanted; by default all. What is left out is not sent.

        Raises:
            grpc.RpcError: if the server refuses; `.code()` and `.details()` tell why.
        """
        request = self._for_model(predict_pb2.PredictRequest())
        request.model_spec.signature_name = signature
        request.output_filter.extend(outputs)
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        answer = self.predictions.Predict(request, timeout=self.timeout)
        return {name: tf.make_ndarray(tensor) for name, tensor in answer.outputs.items()}

    def explain_pictures(self, pictures: list[bytes]) -> list[dict]:
        """Returns label, probability and explanation of JPEG or PNG files, given as their bytes."""
        wanted = ("label", "probability", "explanation")
        inputs = {"image_bytes": np.array(pictures, dtype=object)}
        return self._by_example(self.predict(inputs, "serving_bytes", wanted))

    def explain(self, x: np.ndarray) -> list[dict]:
        """Returns label, probability and explanation of examples as the model reads them, `(batch, …)`."""
        wanted = ("label", "probability", "explanation")
        return self._by_example(self.predict({"x": x}, "serving_default", wanted))

    def explain_many(self, x: np.ndarray, batch_size: int = 16, in_flight: int = 4) -> list[dict]:
        """Explains more examples than fit into one request, several requests at a time.

        A server that batches joins requests that are under way together, so that one waiting for the other
        would be slow.
        """
        from concurrent.futures import ThreadPoolExecutor

        parts = [x[begin : begin + batch_size] for begin in range(0, len(x), batch_size)]
        with ThreadPoolExecutor(in_flight) as pool:
            return [answer for answers in pool.map(self.explain, parts) for answer in answers]

    def status(self) -> dict[int, str]:
        """Returns the state of each version, such as `{1: "AVAILABLE"}`."""
        request = self._for_model(get_model_status_pb2.GetModelStatusRequest())
        answer = self.models.GetModelStatus(request, timeout=self.timeout)
        state = get_model_status_pb2.ModelVersionStatus.State
        return {one.version: state.Name(one.state) for one in answer.model_version_status}

    def metadata(self) -> str:
        """Returns the signatures, with type and shape of each input and output, as text."""
        request = self._for_model(get_model_metadata_pb2.GetModelMetadataRequest())
        request.metadata_field.append("signature_def")
        answer = self.predictions.GetModelMetadata(request, timeout=self.timeout)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(signatures)
        return str(signatures)

    def _for_model(self, request):
        request.model_spec.name = self.model
        if self.version is not None:
            request.model_spec.version.value = self.version
        return request

    @staticmethod
    def _by_example(outputs: dict[str, np.ndarray]) -> list[dict]:
        return [
            {
                "label": label.decode("utf-8"),
                "probability": float(probability),
                "explanation": explanation.decode("utf-8"),
            }
            for label, probability, explanation in zip(
                outputs["label"], outputs["probability"], outputs["explanation"], strict=True
            )
        ]


def read_array(path: str) -> np.ndarray:
    """Returns the examples that a file holds: `.npy`, or `.npz` with the array `features`."""
    array = np.load(path, allow_pickle=False)
    array = array["features"] if isinstance(array, np.lib.npyio.NpzFile) else array
    array = array if array.dtype == np.uint8 else array.astype("float32")
    return array if array.ndim in (2, 4) else array[None]


def main() -> int:
    parser = argparse.ArgumentParser(description="Ask a server for explanations over gRPC.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="pictures, or .npy or .npz arrays")
    parser.add_argument("--server", default="localhost:8500")
    parser.add_argument("--model", default="birds")
    parser.add_argument("--version", type=int, help="(default: the newest)")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds a call (default: 10)")
    parser.add_argument("--batch-size", type=int, default=16, help="inputs a call (default: 16)")
    parser.add_argument("--status", action="store_true", help="print the state of the versions")
    parser.add_argument("--metadata", action="store_true", help="print the signatures")
    options = parser.parse_args()
    try:
        with Client(options.server, options.model, options.version, options.timeout) as client:
            if options.status or options.metadata:
                print(client.status() if options.status else client.metadata())
            pictures = [path for path in options.files if Path(path).suffix not in (".npy", ".npz")]
            for begin in range(0, len(pictures), options.batch_size):
                batch = pictures[begin : begin + options.batch_size]
                for path, answer in zip(
                    batch, client.explain_pictures([Path(p).read_bytes() for p in batch]), strict=True
                ):
                    _print(path, answer)
            for path in (path for path in options.files if path not in pictures):
                for index, answer in enumerate(client.explain_many(read_array(path), options.batch_size)):
                    _print(f"{path}[{index}]", answer)
    except grpc.RpcError as error:
        print(
            f"{error.code().name}: {error.details()}\n{ADVICE.get(error.code(), '')}".strip(), file=sys.stderr
        )
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _print(name: str, answer: dict) -> None:
    print(f"{name}: {answer['label']} ({100 * answer['probability']:.1f} %): {answer['explanation']}")


if __name__ == "__main__":
    sys.exit(main())
