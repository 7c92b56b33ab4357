"""What several commands of the command line read alike."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from interpnet_tf import terminal

DATA = "cub, sketchbirds, or a .csv or .jsonl file of your own"
_HIGHEST_SEED = 2**31 - 1001  # as `RunConfig` has it, which is not imported here: help must come at once


class Parser(argparse.ArgumentParser):
    """Takes options by their whole names only: none is mistaken for another. What it prints is harmless."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"allow_abbrev": False, **options})

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message("\n".join(map(terminal.harmless, message.split("\n"))), file or sys.stderr)


def seed(text: str) -> int:
    """Reads a seed, as a type of argparse."""
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and int(text) <= _HIGHEST_SEED):
        raise argparse.ArgumentTypeError(
            f"must be a whole number from 0 to {_HIGHEST_SEED}, got {text!r:.40}"
        )
    return int(text)


def add_loading(command: argparse.ArgumentParser) -> None:
    """Adds the options that are passed on to a data set."""
    command.add_argument(
        "--features", metavar="FILE", help="the .npz of features of the images; cub: 'none' for photographs"
    )
    command.add_argument("--image-size", type=int, help="height and width that photographs are scaled to")
    command.add_argument("--per-species", type=int, help="sketchbirds: pictures of each species in a split")


def loading(options: argparse.Namespace) -> dict[str, Any]:
    """Returns the given options of `add_loading`, as a data set's `load` takes them."""
    names = ("features", "image_size", "per_species")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if given.get("features") == "none":
        given["features"] = False
    return given
