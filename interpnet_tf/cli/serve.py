"""The command `interpnet serve`."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from interpnet_tf.support import terminal

DESCRIPTION = """Serve an exported model with the REST and gRPC API of TensorFlow Serving.
A server for development and small sites: one process, no log-in, no encryption. It listens on this
machine only unless --host says otherwise; put TensorFlow Serving itself where much depends on it."""


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Adds the command to those of `interpnet`."""
    serve = commands.add_parser(
        "serve", help="serve an exported model over REST and gRPC", description=DESCRIPTION
    )
    serve.add_argument(
        "export_dir", metavar="EXPORT_DIR", type=Path, help="folder of version folders: 1, 2, …"
    )
    serve.add_argument("--model-name", help="in the API (default: the name of EXPORT_DIR)")
    serve.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--rest-port", type=int, help="0 takes a free one (default: 8501)")
    serve.add_argument("--grpc-port", type=int, help="0 takes a free one (default: 8500)")
    batching = serve.add_argument_group("batching across requests")
    batching.add_argument(
        "--max-batch-size", type=int, help="most rows of a batch, and of a request (default: 64)"
    )
    batching.add_argument(
        "--batch-timeout-ms",
        type=float,
        metavar="MS",
        help="how long a request waits for others (default: 2)",
    )
    batching.add_argument(
        "--no-batching",
        dest="batching",
        action="store_false",
        default=None,
        help="run every request by itself",
    )
    batching.add_argument("--threads", type=int, help="batches that run at a time (default: 1)")
    limits = serve.add_argument_group("limits")
    limits.add_argument("--max-queued-rows", type=int, help="more waiting rows are refused (default: 1024)")
    limits.add_argument("--max-body-bytes", type=int, help="a longer request is refused (default: 32 MiB)")
    limits.add_argument(
        "--max-connections", type=int, help="REST connections at a time; then idle ones go (default: 256)"
    )
    limits.add_argument(
        "--header-timeout", type=float, metavar="S", help="for the headers of a REST request (default: 10)"
    )
    limits.add_argument(
        "--request-timeout", type=float, metavar="S", help="seconds a REST request may take (default: 30)"
    )
    limits.add_argument(
        "--drain-seconds", type=float, metavar="S", help="for running requests when stopped (default: 30)"
    )
    versions = serve.add_argument_group("versions")
    versions.add_argument("--keep-versions", type=int, metavar="N", help="serve the N newest (default: 1)")
    versions.add_argument(
        "--label",
        dest="labels",
        action="append",
        type=_label,
        metavar="NAME=VERSION",
        help="a name for a version",
    )
    versions.add_argument(
        "--poll-seconds", type=float, metavar="S", help="look for new ones so often (default: 1)"
    )
    serve.set_defaults(run_command=run)
    return serve


def run(options: argparse.Namespace) -> None:
    """Serves until a signal comes."""
    import asyncio  # `interpnet --help` needs none of it

    try:
        from interpnet_tf.serving import server
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the server needs the package {error.name}; "
            "install all it needs with: pip install 'interpnet-tf[serve]'"
        ) from None
    names = [field.name for field in dataclasses.fields(server.ServerOptions)]
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    given["labels"] = dict(given.get("labels", ()))
    sys.setswitchinterval(0.001)  # what reads and writes large requests lets the others pass sooner
    log = logging.StreamHandler()
    log.setFormatter(HarmlessFormatter("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[log], level=logging.INFO)
    asyncio.run(server.serve(server.ServerOptions(**given), _announce))
    print("stopped")


class HarmlessFormatter(logging.Formatter):
    """Writes a message as one line, and nothing that steers a terminal: names of files are in it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Returns the line of a message."""
        return terminal.harmless(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Returns the lines of a traceback."""
        return "\n".join(map(terminal.harmless, super().formatException(ei).split("\n")))


def _announce(endpoints: Any) -> None:
    terminal.show(
        f'serving "{terminal.harmless(endpoints.model_name)}", '
        f"version {', '.join(map(str, endpoints.versions))}\n"
        f"page  {endpoints.rest}/\n"
        f"REST  {endpoints.rest}/v1/models/{quote(endpoints.model_name)}:predict\n"
        f"gRPC  {endpoints.grpc}\n"
        "for development and small sites: no log-in, no encryption; Ctrl-C stops"
    )
    sys.stdout.flush()


def _label(text: str) -> tuple[str, int]:
    name, _, version = text.partition("=")
    if not (name and version.isascii() and version.isdecimal()):
        raise argparse.ArgumentTypeError(f"must look like stable=3, got {text!r}")
    return name, int(version)
