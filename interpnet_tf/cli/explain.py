"""The command `interpnet explain`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING, Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal

if TYPE_CHECKING:
    from interpnet_tf.runs.trained import Trained


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    explain = commands.add_parser("explain", help="classify files and say why")
    explain.add_argument("run", metavar="RUN", help=arguments.RUN)
    explain.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="images, .csv or .jsonl files of rows, or .npy or .npz files of arrays",
    )
    explain.add_argument("--text", action="append", default=[], help="a text, for a classifier of texts")
    explain.add_argument("--json", action="store_true", help="print one JSON object a line")
    explain.add_argument("--n-best", type=int, help="explanations a file (default: 1)")
    explain.add_argument(
        "--confidence",
        type=arguments.share,
        metavar="P",
        help="say nothing where a sentence is true with a lower probability, 0 to 1; the first time, that is "
        "learnt on the validation data of the run",
    )
    explain.add_argument(
        "--reasons",
        action="store_true",
        help="of many sentences choose what carried the decision; learns on the training data of the run",
    )
    arguments.add_decoding(explain)
    explain.set_defaults(run_command=run)


def _reasons(
    trained: Trained, inputs: Any, options: argparse.Namespace, decoding: dict[str, Any]
) -> list[Any]:
    from interpnet_tf.speakers import Reasons

    if options.sampler is not None or options.confidence is not None:
        raise ValueError("--reasons chooses among a beam and draws; leave out --sampler and --confidence")
    count = decoding.pop("n_best", 1)
    said = Reasons(trained.model, trained.load("train")).explain(inputs, **decoding)
    return [dataclasses.replace(one, alternatives=one.alternatives[: count - 1]) for one in said]


def run(options: argparse.Namespace) -> None:
    """Explains files, and prints a record of each."""
    from interpnet_tf.data import input_files
    from interpnet_tf.runs.confidence import confidence_of
    from interpnet_tf.runs.trained import Trained

    trained, decoding = Trained(options.run), arguments.decoding(options)
    if bool(options.files) == bool(options.text):
        raise ValueError("name the files to explain, or give texts with --text, and not both")
    classifier = trained.model.classifier
    if options.text:
        names, inputs = options.text, input_files.read_texts(options.text, classifier)
    else:
        names, inputs = input_files.read_inputs(options.files, classifier)
    if options.reasons:
        explanations = _reasons(trained, inputs, options, decoding)
    elif options.confidence is None:
        explanations = trained.model.explain(inputs, **decoding)
    else:
        explanations = confidence_of(trained, **decoding).explain(inputs, options.confidence)
    for name, explanation in zip(names, explanations, strict=True):
        if options.json:
            terminal.show(json.dumps({"file": name, **explanation.to_dict()}, ensure_ascii=False))
        else:
            lines = [f"{name}: {explanation}", *(f"    or: {e.text}" for e in explanation.alternatives)]
            terminal.show("\n".join(map(terminal.harmless, lines)))
