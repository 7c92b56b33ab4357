"""The REST API of TensorFlow Serving, as a Starlette application."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import html
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import grpc
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from tensorflow_serving.apis import get_model_metadata_pb2

from interpnet_tf.serving import json_tensors, status
from interpnet_tf.serving.batching import Batcher
from interpnet_tf.serving.budget import BODIES, Budget
from interpnet_tf.serving.errors import ServingError, from_exception, invalid
from interpnet_tf.serving.json_reader import SMALL, JsonReader
from interpnet_tf.serving.metrics import Metrics
from interpnet_tf.serving.rest_answers import LastAnswers, PiecewiseResponse
from interpnet_tf.serving.versions import ModelVersions

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
CHOICE = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]{1,19})|/labels/(?P<label>[^/:]+))?"
PREDICTION = re.compile(CHOICE + r":(?P<method>predict|classify|regress)", re.IGNORECASE)
DESCRIPTION = re.compile(CHOICE + r"(?P<metadata>/metadata)?", re.IGNORECASE)
FORMAT = {"indent": 1, "always_print_fields_with_no_presence": True}


class RestApi:
    """Answers HTTP requests.

    Args:
        versions: the model.
        batcher: runs it.
        metrics: counts requests.
        max_body_bytes: a longer body is refused.
        timeout: seconds that a request may take.
        is_draining: tells whether the server is about to stop.
    """

    def __init__(
        self,
        versions: ModelVersions,
        batcher: Batcher,
        metrics: Metrics,
        max_body_bytes: int,
        timeout: float,
        is_draining: Callable[[], bool],
    ):
        self._versions = versions
        self._batcher = batcher
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._timeout = timeout
        self._is_draining = is_draining
        self._reader = JsonReader(max_body_bytes)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._budget = Budget(BODIES * max_body_bytes)
        self._page = resources.files(__package__).joinpath("page.html").read_text("utf-8")

    def application(self) -> Starlette:
        """Returns the ASGI application."""
        application = Starlette(
            routes=[
                Route("/", self._show_page),
                Route("/healthz", self._health),
                Route("/metrics", self._show_metrics),
                Route(
                    "/monitoring/prometheus/metrics", self._show_metrics
                ),  # where TensorFlow Serving has it
                Route("/v1/{path:path}", self._api, methods=METHODS),
            ],
            middleware=[Middleware(LastAnswers, self._is_draining)],
        )
        application.router.redirect_slashes = False
        return application

    def close(self) -> None:
        """Ends the processes that read large bodies. No request may be running."""
        self._reader.close()
        self._writing.shutdown()

    async def _show_page(self, request: Request) -> Response:
        policy = "default-src 'self' 'unsafe-inline'; img-src blob:"
        page = self._page.replace("MODEL_NAME", html.escape(self._versions.name))
        return Response(page, media_type="text/html", headers={"Content-Security-Policy": policy})

    async def _health(self, request: Request) -> Response:
        if self._is_draining():
            return PlainTextResponse("stopping\n", 503)
        if not self._versions.available:
            return PlainTextResponse(f"no version of the model is loaded\n{self._trouble()}", 503)
        return PlainTextResponse(f"ok\n{self._trouble()}")

    def _trouble(self) -> str:
        """Returns a line for each thing that is wrong with the folder of versions."""
        newest = max(self._versions.versions.values(), key=lambda version: version.number, default=None)
        lines = [self._versions.trouble] if self._versions.trouble else []
        if newest is not None and newest.error is not None:
            lines.append(f"version {newest.number}: {newest.error.message}")
        return "".join(f"{' '.join(line.split())}\n" for line in lines)

    async def _show_metrics(self, request: Request) -> Response:
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _api(self, request: Request) -> Response:
        try:
            path = request.scope["path"]
            if request.method == "POST" and (match := PREDICTION.fullmatch(path)):
                return await self._predict(request, match)
            if request.method == "GET" and (match := DESCRIPTION.fullmatch(path)):
                return self._describe(match)
            raise invalid(
                f"Malformed request: {request.method} {path}; this server has GET /v1/models/NAME, "
                "GET /v1/models/NAME/metadata and POST /v1/models/NAME:predict"
            )
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as error:
            return _refusal(from_exception(error))

    def _describe(self, match: re.Match[str]) -> Response:
        name, version, label = _spec(match)
        self._versions.check_name(name)
        if not match["metadata"]:
            message = status.model_status(self._versions, version, label)
            text = json_format.MessageToJson(message, preserving_proto_field_name=True, **FORMAT)
            return Response(text, media_type="application/json")
        message = status.model_metadata(self._versions, version, label)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        message.metadata["signature_def"].Unpack(signatures)
        spec, text = (
            json_format.MessageToJson(part, preserving_proto_field_name=True, **FORMAT)
            for part in (message.model_spec, signatures)
        )
        return Response(
            f'{{"model_spec": {spec}, "metadata": {{"signature_def": {text}}}}}',
            media_type="application/json",
        )

    async def _predict(self, request: Request, match: re.Match[str]) -> Response:
        start = time.perf_counter()
        code = grpc.StatusCode.CANCELLED  # unless the client stays until the end
        self._metrics.in_flight.add(1, api="rest")
        with contextlib.ExitStack() as holding:
            try:
                hold = holding.enter_context(self._budget.request())
                async with asyncio.timeout(self._timeout):
                    body = await self._answer(await self._read_body(request, hold), match)
                hold(len(body))
                code = grpc.StatusCode.OK
                return PiecewiseResponse(body, holding.pop_all())
            except ClientDisconnect:
                raise
            except Exception as error:
                shown = from_exception(error)
                code = shown.code
                return _refusal(shown)
            finally:
                self._metrics.in_flight.add(-1, api="rest")
                self._metrics.requests.add(api="rest", code=code.name)
                self._metrics.request_seconds.observe(time.perf_counter() - start, api="rest")

    async def _read_body(self, request: Request, hold: Callable[[int], None]) -> bytes:
        too_large = ServingError(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            f"the body is larger than {self._max_body_bytes} bytes; send fewer or smaller examples a request",
            http_status=413,
        )
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_body_bytes:
            raise too_large
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_body_bytes:
                raise too_large
            hold(len(body))
        return bytes(body)

    async def _answer(self, body: bytes, match: re.Match[str]) -> bytes:
        name, version, label = _spec(match)
        if match["method"].lower() != "predict":
            raise invalid(
                f"Expected classification or regression signature method_name for :{match['method']}. Was: "
                "tensorflow/serving/predict; send POST …:predict"
            )
        self._versions.check_name(name)
        with self._versions.hold(version, label) as (_, servable):
            find = functools.partial(servable.signature, code=grpc.StatusCode.INVALID_ARGUMENT)
            form, signature, arrays = await self._reader.read(body, find)
            outputs = await self._batcher.run(signature, arrays)
        if sum(array.nbytes for array in outputs.values()) <= SMALL:
            return json_tensors.answer(form, outputs)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writing, json_tensors.answer, form, outputs)


def _refusal(shown: ServingError) -> Response:
    again = {"Retry-After": "1"} if shown.http_status == 503 else None
    return JSONResponse({"error": shown.message}, shown.http_status, again)


def _spec(match: re.Match[str]) -> tuple[str, int | None, str | None]:
    return match["name"], int(match["version"]) if match["version"] else None, match["label"]
