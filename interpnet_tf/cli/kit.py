"""The command `interpnet kit`."""

from __future__ import annotations

import argparse
from typing import Any

from interpnet_tf.support import terminal


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    kit = commands.add_parser("kit", help="write what serves an export, and puts it on phones, into a folder")
    kit.add_argument("folder", metavar="DIR", help="a new folder, or that of a kit")
    kit.add_argument("--overwrite", action="store_true", help="replace files of the kit that were changed")
    kit.set_defaults(run_command=run)


def run(options: argparse.Namespace) -> None:
    """Writes the kit."""
    from interpnet_tf.kit import write_kit

    folder = options.folder.rstrip("/") or options.folder
    for name in write_kit(folder, options.overwrite):
        terminal.show(terminal.harmless(f"{folder}/{name}"))
    shown = terminal.harmless(folder)
    terminal.show(
        f"servers: interpnet export RUN {shown}/birds/1, then read {shown}/README.md\n"
        f"phones:  interpnet export RUN birds.tflite --format litert, then read {shown}/phone/README.md"
    )
