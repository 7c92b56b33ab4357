"""The command `interpnet audit`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal
from interpnet_tf.support.json_files import json_safe


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    audit = commands.add_parser(
        "audit", help="say what a run's decisions rest on, what its sentences say, and whether the two agree"
    )
    audit.add_argument("run", metavar="RUN", help=arguments.RUN)
    audit.add_argument("--split", default="test", choices=("train", "validation", "test"))
    audit.add_argument("--json", action="store_true", help="print one JSON object")
    audit.add_argument("--all", action="store_true", help="every faithfulness metric, not some")
    audit.add_argument("--seed", type=arguments.seed, default=0, help="of every draw (default: 0)")
    arguments.add_data(audit)
    arguments.add_mark(audit)
    audit.set_defaults(run_command=run)


def run(options: argparse.Namespace) -> None:
    """Audits a run, and prints one screen or JSON."""
    from interpnet_tf.analysis import auditing
    from interpnet_tf.runs.auditing import audit_run

    trained, mark = arguments.trained(options), arguments.mark(options)
    found = audit_run(trained, options.split, mark, options.all, options.seed)
    result = {"run": trained.path, "split": options.split, **mark, **found}
    terminal.show(json.dumps(json_safe(result), indent=1) if options.json else auditing.report(result))
