"""The command `interpnet evaluate`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal
from interpnet_tf.support.json_files import json_safe


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    evaluate = commands.add_parser("evaluate", help="score a run on a split of its data")
    evaluate.add_argument("run", metavar="RUN", help=arguments.RUN)
    evaluate.add_argument("--split", default="test", choices=("train", "validation", "test"))
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    arguments.add_data(evaluate)
    arguments.add_mark(evaluate)
    arguments.add_decoding(evaluate)
    evaluate.set_defaults(run_command=run)


def run(options: argparse.Namespace) -> None:
    """Scores a run, and prints the table or JSON."""
    from interpnet_tf.runs import evaluation

    trained, decoding = arguments.trained(options), arguments.decoding(options)
    result = evaluation.evaluate_run(trained, options.split, arguments.mark(options), decoding)
    text = json.dumps(json_safe(result), indent=1)
    terminal.show(text if options.json else evaluation.report(result))
