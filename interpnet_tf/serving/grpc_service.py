"""The gRPC API of TensorFlow Serving, on its own protos."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from interpnet_tf.serving import status, tensors
from interpnet_tf.serving.batching import Batcher
from interpnet_tf.serving.errors import from_exception, invalid
from interpnet_tf.serving.metrics import Metrics
from interpnet_tf.serving.servable import Servable
from interpnet_tf.serving.versions import ModelVersions

# Method names are those of the protos, so ruff's N802 does not apply here.


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Runs the model and describes it.

    Args:
        versions: the model.
        batcher: runs it.
        metrics: counts requests.
        max_body_bytes: refuse a larger tensor.
    """

    def __init__(self, versions: ModelVersions, batcher: Batcher, metrics: Metrics, max_body_bytes: int):
        self._versions = versions
        self._batcher = batcher
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

    async def Predict(  # noqa: N802
        self, request: predict_pb2.PredictRequest, context: grpc.aio.ServicerContext
    ) -> predict_pb2.PredictResponse:
        start = time.perf_counter()
        code = grpc.StatusCode.CANCELLED  # unless the client stays until the end
        self._metrics.in_flight.add(1, api="grpc")
        try:
            response = await self._predict(request)
            code = grpc.StatusCode.OK
            return response
        except Exception as error:
            shown = from_exception(error)
            code = shown.code
            await context.abort(shown.code, shown.message)
            raise  # never reached: abort raises
        finally:
            self._metrics.in_flight.add(-1, api="grpc")
            self._metrics.requests.add(api="grpc", code=code.name)
            self._metrics.request_seconds.observe(time.perf_counter() - start, api="grpc")

    async def _predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        response = predict_pb2.PredictResponse()
        with _hold(self._versions, request) as (number, servable):
            signature = servable.signature(request.model_spec.signature_name)
            names = list(request.output_filter) or list(signature.outputs)
            if unknown := set(names) - set(signature.outputs):
                raise invalid(
                    f"output tensor alias not found in signature: {sorted(unknown)}; "
                    f"outputs of this one: {sorted(signature.outputs)}"
                )
            if len(set(names)) < len(names):
                raise invalid(f"duplicate output tensor alias in output_filter: {names}; name each once")
            arrays = tensors.read_inputs(request.inputs, signature, self._max_body_bytes)
            outputs = await self._batcher.run(signature, arrays)
        response.model_spec.name = self._versions.name
        response.model_spec.version.value = number
        response.model_spec.signature_name = signature.name
        for name in names:
            response.outputs[name].CopyFrom(tensors.write(outputs[name], signature.outputs[name].dtype))
        return response

    async def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.aio.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        try:
            spec = _spec(self._versions, request)
            if list(request.metadata_field) != ["signature_def"]:
                raise invalid(
                    f"metadata_field is {list(request.metadata_field)}; "
                    'GetModelMetadataRequest must ask for ["signature_def"]'
                )
            return status.model_metadata(self._versions, *spec)
        except Exception as error:
            shown = from_exception(error)
            await context.abort(shown.code, shown.message)

    async def Classify(self, request: Any, context: grpc.aio.ServicerContext) -> None:  # noqa: N802
        await self._refuse(context)

    async def Regress(self, request: Any, context: grpc.aio.ServicerContext) -> None:  # noqa: N802
        await self._refuse(context)

    async def _refuse(self, context: grpc.aio.ServicerContext) -> None:
        await context.abort(
            grpc.StatusCode.INVALID_ARGUMENT,
            "Expected classification or regression signature method_name. Was: tensorflow/serving/predict; "
            "call Predict",
        )


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Tells the state of the model's versions."""

    def __init__(self, versions: ModelVersions):
        self._versions = versions

    async def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.aio.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        try:
            return status.model_status(self._versions, *_spec(self._versions, request))
        except Exception as error:
            shown = from_exception(error)
            await context.abort(shown.code, shown.message)


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


@contextlib.contextmanager
def _hold(versions: ModelVersions, request: Any) -> Iterator[tuple[int, Servable]]:
    with versions.hold(*_spec(versions, request)) as held:
        yield held
