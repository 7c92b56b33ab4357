"""The gRPC API of TensorFlow Serving, on its own protos.

To a client, each method is what TensorFlow Serving's is. To gRPC it is a method with a stream of requests, of
which it reads one: only so does it run before a message is in memory, and gets the bytes of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
)

from interpnet_tf.serving import status, tensors, wire
from interpnet_tf.serving.batching import Batcher
from interpnet_tf.serving.budget import BODIES, Budget
from interpnet_tf.serving.errors import from_exception, invalid
from interpnet_tf.serving.grpc_messages import MessageGate
from interpnet_tf.serving.metrics import Metrics
from interpnet_tf.serving.servable import Signature
from interpnet_tf.serving.versions import ModelVersions

MESSAGES = 16  # that come slowly, at a time
SMALL = 2**16  # messages up to this many bytes are read at once: some milliseconds at the most

Messages = AsyncIterator[bytes]
Context = grpc.aio.ServicerContext


class GrpcApi:
    """Answers gRPC requests.

    Args:
        versions: the model.
        batcher: runs it.
        metrics: counts requests.
        max_body_bytes: refuse a larger tensor.
        message_seconds: in which the message of a request must be there.
    """

    def __init__(
        self,
        versions: ModelVersions,
        batcher: Batcher,
        metrics: Metrics,
        max_body_bytes: int,
        message_seconds: float = 30.0,
    ):
        self._versions = versions
        self._batcher = batcher
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._gate = MessageGate(MESSAGES, message_seconds)
        self._budget = Budget(BODIES * max_body_bytes)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="messages")

    def add_to(self, server: grpc.aio.Server) -> None:
        """Registers the services."""
        services = {
            "PredictionService": {
                "Predict": self._predict,
                "GetModelMetadata": self._get_model_metadata,
                "Classify": self._refuse,
                "Regress": self._refuse,
            },
            "ModelService": {"GetModelStatus": self._get_model_status},
        }
        for service, methods in services.items():
            handlers = {
                name: grpc.stream_unary_rpc_method_handler(method) for name, method in methods.items()
            }
            handler = grpc.method_handlers_generic_handler(f"tensorflow.serving.{service}", handlers)
            server.add_generic_rpc_handlers((handler,))

    async def _predict(self, messages: Messages, context: Context) -> bytes:
        start = time.perf_counter()
        code = grpc.StatusCode.CANCELLED  # unless the client stays until the end
        self._metrics.in_flight.add(1, api="grpc")
        refusal = None
        try:
            response = await self._respond(messages)
            code = grpc.StatusCode.OK
        except Exception as error:
            refusal = from_exception(error)
            code = refusal.code
        finally:
            self._metrics.in_flight.add(-1, api="grpc")
            self._metrics.requests.add(api="grpc", code=code.name)
            self._metrics.request_seconds.observe(time.perf_counter() - start, api="grpc")
        if refusal is not None:  # out here no exception holds the message, as gRPC keeps what abort raises
            await context.abort(refusal.code, refusal.message)
        return response

    async def _respond(self, messages: Messages) -> bytes:
        with self._budget.request() as hold:
            message = await self._gate.receive(messages)
            hold(len(message))
            return await self._answer(message)

    async def _answer(self, message: bytes) -> bytes:
        request = await self._beside(len(message), _read_request, message)
        with self._versions.hold(*_spec(self._versions, request)) as (number, servable):
            signature = servable.signature(request.model_spec.signature_name)
            names = list(request.output_filter) or list(signature.outputs)
            if unknown := set(names) - set(signature.outputs):
                raise invalid(
                    f"output tensor alias not found in signature: {sorted(unknown)}; "
                    f"outputs of this one: {sorted(signature.outputs)}"
                )
            if len(set(names)) < len(names):
                raise invalid(f"duplicate output tensor alias in output_filter: {names}; name each once")
            arrays = await self._beside(
                len(message), tensors.read_inputs, request.inputs, signature, self._max_body_bytes
            )
            del request
            outputs = await self._batcher.run(signature, arrays)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = self._versions.name
        response.model_spec.version.value = number
        response.model_spec.signature_name = signature.name
        wanted = {name: outputs[name] for name in names}
        size = sum(array.nbytes for array in wanted.values())
        return await self._beside(size, _write_answer, response, wanted, signature)

    async def _beside(self, size: int, function: Callable[..., Any], *arguments: Any) -> Any:
        """Runs what takes long in another thread."""
        if size <= SMALL:
            return function(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def _get_model_metadata(self, messages: Messages, context: Context) -> bytes:
        def answer(request: get_model_metadata_pb2.GetModelMetadataRequest) -> Any:
            spec = _spec(self._versions, request)
            if list(request.metadata_field) != ["signature_def"]:
                raise invalid(
                    f"metadata_field is {list(request.metadata_field)}; "
                    'GetModelMetadataRequest must ask for ["signature_def"]'
                )
            return status.model_metadata(self._versions, *spec)

        return await self._describe(messages, context, get_model_metadata_pb2.GetModelMetadataRequest, answer)

    async def _get_model_status(self, messages: Messages, context: Context) -> bytes:
        def answer(request: get_model_status_pb2.GetModelStatusRequest) -> Any:
            return status.model_status(self._versions, *_spec(self._versions, request))

        return await self._describe(messages, context, get_model_status_pb2.GetModelStatusRequest, answer)

    async def _describe(
        self, messages: Messages, context: Context, kind: Any, answer: Callable[[Any], Any]
    ) -> bytes:
        try:
            message = await self._gate.receive(messages)
            if len(message) > SMALL:
                raise invalid(f"the message has {len(message)} bytes; this one may have {SMALL}")
            return answer(_parse(kind, message)).SerializeToString()
        except Exception as error:
            shown = from_exception(error)
            await context.abort(shown.code, shown.message)
            raise  # never reached: abort raises

    async def _refuse(self, messages: Messages, context: Context) -> None:
        await context.abort(
            grpc.StatusCode.INVALID_ARGUMENT,
            "Expected classification or regression signature method_name. Was: tensorflow/serving/predict; "
            "call Predict",
        )


def _read_request(message: bytes) -> predict_pb2.PredictRequest:
    wire.check(message)
    return _parse(predict_pb2.PredictRequest, message)


def _parse(kind: Any, message: bytes) -> Any:
    try:
        return kind.FromString(message)
    except DecodeError as error:
        raise invalid(f"the message is no {kind.DESCRIPTOR.name}: {error}") from None


def _write_answer(
    response: predict_pb2.PredictResponse, outputs: Mapping[str, np.ndarray], signature: Signature
) -> bytes:
    for name, array in outputs.items():
        response.outputs[name].CopyFrom(tensors.write(array, signature.outputs[name].dtype))
    return response.SerializeToString()


def _spec(versions: ModelVersions, request: Any) -> tuple[int | None, str | None]:
    """Returns the version and the label that a request asks for."""
    spec: model_pb2.ModelSpec = request.model_spec
    if not request.HasField("model_spec") or not spec.name:
        raise invalid(f'Missing ModelSpec; set model_spec.name to "{versions.name}"')
    versions.check_name(spec.name)
    choice = spec.WhichOneof("version_choice")
    return (
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )
