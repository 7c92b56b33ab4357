"""What several commands of the command line read alike."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from interpnet_tf.support import terminal

if TYPE_CHECKING:
    from interpnet_tf.runs.trained import Trained

RUN = "a run folder, or a .keras file that InterpNet.save wrote"
DATA = "cub, esnli, sketchbirds, or a .csv or .jsonl file of your own"
MARKS = ("right", "none", "other")
SAMPLERS = ("greedy", "beam", "top_k", "top_p")
_DECODING = (
    "sampler",
    "beams",
    "n_best",
    "seed",
    "length_penalty",
    "min_length",
    "no_repeat_ngram",
    "forbidden",
    "required",
)
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


def share(text: str) -> float:
    """Reads a number from 0 to 1, as a type of argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, got {text!r:.40}")
    return value


def add_loading(command: argparse.ArgumentParser) -> None:
    """Adds the options that are passed on to a data set."""
    command.add_argument(
        "--features", metavar="FILE", help="the .npz of features of the examples; cub: 'none' for photographs"
    )
    command.add_argument("--image-size", type=int, help="height and width that photographs are scaled to")
    command.add_argument("--per-species", type=int, help="sketchbirds: pictures of each species in a split")
    command.add_argument(
        "--shortcut",
        type=float,
        metavar="SHARE",
        help="sketchbirds: share of the pictures with a mark that tells the species (default: 0)",
    )
    command.add_argument(
        "--columns",
        nargs="+",
        type=_column,
        metavar="NAME=KIND",
        help="of a table: a column is of this kind, number, category, boolean or ignored",
    )


def loading(options: argparse.Namespace) -> dict[str, Any]:
    """Returns the given options of `add_loading`, as a data set's `load` takes them."""
    names = ("features", "image_size", "per_species", "shortcut")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.columns is not None:
        given["columns"] = dict(options.columns)
    if given.get("features") == "none":
        given["features"] = False
    return given


def _column(text: str) -> tuple[str, str]:
    name, _, kind = text.rpartition("=")
    if not name:
        raise argparse.ArgumentTypeError(f"must look like year=category, got {text!r:.40}")
    return name, kind


def add_data(command: argparse.ArgumentParser) -> None:
    """Adds the options that name the data of a trained model, which `trained` reads."""
    group = command.add_argument_group("the data that the model is measured on")
    group.add_argument("--data", help=f"of a .keras file: {DATA}")
    group.add_argument("--root", help="folder of the data set (cub, esnli), where that of a run has moved")
    add_loading(group)


def add_mark(command: argparse.ArgumentParser) -> None:
    """Adds the option that changes the pictures that a trained model is measured on, which `mark` reads."""
    command.add_argument(
        "--mark",
        choices=MARKS,
        help="sketchbirds: measure on pictures that all bear this mark, whatever the training had",
    )


def mark(options: argparse.Namespace) -> dict[str, str]:
    """Returns the option of `add_mark`, where it is given, as `Trained.load` takes it."""
    return {} if options.mark is None else {"mark": options.mark}


def trained(options: argparse.Namespace) -> Trained:
    """Returns the trained model of RUN, with the data that `add_data` names."""
    from interpnet_tf.runs.trained import Trained

    return Trained(options.run, options.data, options.root, loading(options))


def add_decoding(command: argparse.ArgumentParser) -> None:
    """Adds the options of `InterpNet.explain`."""
    group = command.add_argument_group("how the words are chosen")
    group.add_argument("--sampler", choices=SAMPLERS, help="(default: greedy)")
    group.add_argument("--beams", type=int, help="of beam search (default: 5)")
    group.add_argument("--length-penalty", type=float, help="0 favours short sentences (default: 0.7)")
    group.add_argument("--min-length", type=int, help="fewest words (default: 0)")
    group.add_argument("--no-repeat-ngram", type=int, metavar="N", help="say no N words in a row twice")
    group.add_argument("--forbid", dest="forbidden", action="append", metavar="WORD", help="do not say this")
    group.add_argument(
        "--require", dest="required", action="append", metavar="WORD", help="say this (beam search)"
    )
    group.add_argument("--seed", type=seed, help="of the draws of top_k and top_p (default: 0)")


def decoding(options: argparse.Namespace) -> dict[str, Any]:
    """Returns the given options of `add_decoding`, as `InterpNet.explain` takes them."""
    given = {name: getattr(options, name, None) for name in _DECODING}
    return {"seed": 0} | {name: value for name, value in given.items() if value is not None}
