"""The command `interpnet reasons`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal
from interpnet_tf.support.json_files import json_safe


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    reasons = commands.add_parser(
        "reasons", help="sketchbirds: measure what carried the decisions, and whether the sentences say so"
    )
    reasons.add_argument("run", metavar="RUN", help=arguments.RUN)
    reasons.add_argument("--split", default="test", choices=("train", "validation", "test"))
    reasons.add_argument("--json", action="store_true", help="print one JSON object")
    arguments.add_data(reasons)
    arguments.add_mark(reasons)
    reasons.set_defaults(run_command=run)


def run(options: argparse.Namespace) -> None:
    """Measures effects and sentences, and prints the tables or JSON."""
    from interpnet_tf.experiments import reasons
    from interpnet_tf.support.progress import CountLine

    trained, mark = arguments.trained(options), arguments.mark(options)
    progress = CountLine("effects of the parts", "pictures")
    effects = reasons.effects_of_run(trained, options.split, mark, progress)
    dataset = trained.load(options.split, **mark)
    result = {"run": trained.path, "split": options.split, **mark}
    result |= reasons.score_speakers(trained.model, dataset, effects, trained.load("train"))
    text = json.dumps(json_safe(result), indent=1)
    terminal.show(text if options.json else reasons.report(result))
