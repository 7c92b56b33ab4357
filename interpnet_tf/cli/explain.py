"""The command `interpnet explain`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    explain = commands.add_parser("explain", help="classify files and say why")
    explain.add_argument("run", metavar="RUN", help=arguments.RUN)
    explain.add_argument("files", metavar="FILE", nargs="+", help="images, or .npy or .npz files of arrays")
    explain.add_argument("--json", action="store_true", help="print one JSON object a line")
    explain.add_argument("--n-best", type=int, help="explanations a file (default: 1)")
    explain.add_argument(
        "--confidence",
        type=float,
        metavar="P",
        help="say nothing where a sentence is true with a lower probability, 0 to 1; the first time, that is "
        "learnt on the validation data of the run",
    )
    arguments.add_decoding(explain)
    explain.set_defaults(run_command=run)


def run(options: argparse.Namespace) -> None:
    """Explains files, and prints a record of each."""
    from interpnet_tf.data import input_files
    from interpnet_tf.runs.confidence import confidence_of
    from interpnet_tf.runs.trained import Trained

    trained, decoding = Trained(options.run), arguments.decoding(options)
    names, inputs = input_files.read_inputs(options.files, trained.model.classifier)
    if options.confidence is None:
        explanations = trained.model.explain(inputs, **decoding)
    else:
        explanations = confidence_of(trained, **decoding).explain(inputs, options.confidence)
    for name, explanation in zip(names, explanations, strict=True):
        if options.json:
            terminal.show(json.dumps({"file": name, **explanation.to_dict()}, ensure_ascii=False))
        else:
            lines = [f"{name}: {explanation}", *(f"    or: {e.text}" for e in explanation.alternatives)]
            terminal.show("\n".join(map(terminal.harmless, lines)))
