"""The server: both APIs over one model, from start to graceful stop."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import grpc
import uvicorn

from interpnet_tf.serving.batching import Batcher
from interpnet_tf.serving.connections import BoundedServer, ConnectionLimits
from interpnet_tf.serving.grpc_service import GrpcApi
from interpnet_tf.serving.metrics import Metrics
from interpnet_tf.serving.rest import RestApi
from interpnet_tf.serving.servable import Servable
from interpnet_tf.serving.versions import ModelVersions

MOST_RPCS = 2048  # gRPC requests at a time, most of which wait for their message
READ_SECONDS = 60.0  # for a client to take its answer


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    """How to serve.

    Attributes:
        export_dir: holds numbered version folders, each a SavedModel.
        model_name: in the API; by default the name of the folder.
        host: the address to listen on. Whoever reaches it may use the model: there is no log-in.
        rest_port: 0 takes a free one.
        grpc_port: 0 takes a free one.
        max_batch_size: the most rows of a batch, and of a request.
        batch_timeout_ms: how long a request waits for others to share its batch.
        batching: whether requests share batches.
        threads: batches that run at a time.
        max_queued_rows: more rows waiting than these are refused.
        max_body_bytes: a longer request is refused.
        request_timeout: seconds that a REST request may take, and the message of a gRPC request to arrive; a
            gRPC client sets its own deadline for the rest.
        header_timeout: seconds in which the headers of a REST request must be there.
        max_connections: REST connections at a time; one more closes the one that has been idle longest.
        keep_versions: how many of the newest versions to serve.
        labels: names for version numbers.
        poll_seconds: how often to look for new versions.
        drain_seconds: how long requests may go on after the signal to stop.
    """

    export_dir: Path
    model_name: str = ""
    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    max_batch_size: int = 64
    batch_timeout_ms: float = 2.0
    batching: bool = True
    threads: int = 1
    max_queued_rows: int = 1024
    max_body_bytes: int = 32 * 2**20
    request_timeout: float = 30.0
    header_timeout: float = 10.0
    max_connections: int = 256
    keep_versions: int = 1
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)
    poll_seconds: float = 1.0
    drain_seconds: float = 30.0

    def __post_init__(self):
        smallest = {"max_batch_size": 1, "batch_timeout_ms": 0, "threads": 1, "max_queued_rows": 1}
        smallest |= {"max_body_bytes": 1, "keep_versions": 1, "poll_seconds": 0.01, "drain_seconds": 0}
        smallest |= {"rest_port": 0, "grpc_port": 0, "request_timeout": 0.01}
        smallest |= {"header_timeout": 0.01, "max_connections": 1}
        for name, least in smallest.items():
            if not getattr(self, name) >= least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.max_queued_rows < self.max_batch_size:
            raise ValueError(
                f"max_queued_rows is {self.max_queued_rows}; it must take at least one batch of "
                f"{self.max_batch_size} rows"
            )
        if self.export_dir.is_file():
            raise ValueError(
                f"{self.export_dir} is a file; export the model first: interpnet export {self.export_dir} "
                "models/birds/1, and serve models/birds"
            )
        if not self.export_dir.is_dir():
            raise ValueError(
                f"{self.export_dir} is no folder; name the one that holds version folders (1, 2, …), "
                "each written by `interpnet export`"
            )


@dataclasses.dataclass(frozen=True)
class Endpoints:
    """Where a running server listens.

    Attributes:
        model_name: in the API.
        rest: URL without a slash at the end.
        grpc: `host:port`.
        versions: the numbers of the versions that are loaded.
        stop: stops the server, from its own thread.
    """

    model_name: str
    rest: str
    grpc: str
    versions: list[int]
    stop: Callable[[], None]


class _RestServer(BoundedServer):
    """Leaves signals to `serve`, which stops both APIs."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    options: ServerOptions, started: Callable[[Endpoints], None], catch_signals: bool = True
) -> None:
    """Serves until SIGTERM or SIGINT, then finishes the requests that are running.

    Args:
        options: how to serve.
        started: called once requests are answered.
        catch_signals: False where another thread than the main one runs this; `Endpoints.stop` stops it.

    Raises:
        ValueError: if no version can be loaded.
        OSError: if a port is taken.
    """
    name = options.model_name or options.export_dir.resolve().name
    metrics = Metrics()
    versions = ModelVersions(
        name,
        options.export_dir,
        Servable,
        options.keep_versions,
        options.labels,
        on_change=lambda versions: _count_versions(metrics, versions),
    )
    batcher = Batcher(
        options.max_batch_size,
        options.batch_timeout_ms / 1000,
        options.max_queued_rows,
        options.threads,
        options.batching,
        metrics,
    )
    stopping = asyncio.Event()
    async with contextlib.AsyncExitStack() as closing:
        closing.push_async_callback(versions.close)
        closing.push_async_callback(batcher.close)
        listening = closing.enter_context(_listen(options.host, options.rest_port))
        await _load_first(versions, options.poll_seconds)
        api = RestApi(
            versions, batcher, metrics, options.max_body_bytes, options.request_timeout, stopping.is_set
        )
        closing.callback(api.close)
        rest_server = _RestServer(
            uvicorn.Config(
                api.application(),
                log_config=None,  # as the rest of the program logs
                log_level="error",  # what a client does wrong is told to it alone
                access_log=False,
                lifespan="off",
            ),
            ConnectionLimits(
                options.max_connections,
                options.header_timeout,
                options.request_timeout + READ_SECONDS,
                READ_SECONDS,
            ),
        )
        grpc_server, grpc_port = _grpc_server(options, versions, batcher, metrics)
        await grpc_server.start()
        rest = asyncio.create_task(rest_server.serve([listening]))
        watching = asyncio.create_task(versions.watch(options.poll_seconds))
        loop = asyncio.get_running_loop()
        if catch_signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stopping.set)
        host = f"[{options.host}]" if ":" in options.host else options.host
        rest_url = f"http://{host}:{listening.getsockname()[1]}"
        started(Endpoints(name, rest_url, f"{host}:{grpc_port}", versions.available, stopping.set))
        await stopping.wait()
        watching.cancel()
        await asyncio.gather(
            grpc_server.stop(options.drain_seconds), _stop_rest(rest_server, rest, options.drain_seconds)
        )
        await asyncio.gather(watching, return_exceptions=True)


async def _stop_rest(server: _RestServer, serving: asyncio.Task, seconds: float) -> None:
    """Answers what still comes on kept connections, each for the last time, and ends."""
    end = time.monotonic() + seconds
    await server.let_go(seconds)
    server.config.timeout_graceful_shutdown = max(1, round(end - time.monotonic()))
    server.should_exit = True
    await serving


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the socket names its protocol; with it on, the kernel
    # holds small answers back for 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise OSError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another --rest-port or --host"
        ) from None
    return listening


def _grpc_server(
    options: ServerOptions, versions: ModelVersions, batcher: Batcher, metrics: Metrics
) -> tuple[grpc.aio.Server, int]:
    # Tensors are checked against max_body_bytes; the message around them is a little larger.
    limit = options.max_body_bytes + 2**16
    server = grpc.aio.server(
        maximum_concurrent_rpcs=MOST_RPCS,
        options=[
            ("grpc.max_receive_message_length", limit),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_concurrent_streams", MOST_RPCS // 4),  # of one connection
            ("grpc.http2.bdp_probe", 0),  # no more is read ahead of a message than is said here
            ("grpc.http2.lookahead_bytes", 2**16),
            ("grpc.so_reuseport", 0),  # a port that another server has is an error
        ],
    )
    GrpcApi(versions, batcher, metrics, options.max_body_bytes, options.request_timeout).add_to(server)
    host = f"[{options.host}]" if ":" in options.host else options.host
    try:
        return server, server.add_insecure_port(f"{host}:{options.grpc_port}")
    except RuntimeError:
        raise OSError(
            f"cannot listen on {host}:{options.grpc_port}; choose another --grpc-port or --host"
        ) from None


async def _load_first(versions: ModelVersions, poll_seconds: float) -> None:
    """Loads the newest version; the second look tells a folder that is still being written."""
    await versions.refresh()
    await asyncio.sleep(min(poll_seconds, 0.2))
    await versions.refresh()
    if not versions.available:
        errors = [version.error.message for version in versions.versions.values() if version.error]
        errors += [versions.trouble] if versions.trouble else []
        raise ValueError(
            f"{versions.folder} holds no version that can be served: {'; '.join(errors) or 'it has none'}. "
            "A version is a folder named by a number that holds a SavedModel; `interpnet export` writes one"
        )


def _count_versions(metrics: Metrics, versions: ModelVersions) -> None:
    metrics.looks.set(versions.looks, model=versions.name)
    metrics.versions.clear()
    for version in versions.versions.values():
        metrics.versions.set(1, model=versions.name, version=str(version.number), state=version.state)
