"""The command `interpnet report`."""

from __future__ import annotations

import argparse
from typing import Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal

WORST = ("class", "facts", "words")


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    report = commands.add_parser(
        "report", help="write a page that shows what a run says, how good it is and what it rests on"
    )
    report.add_argument("run", metavar="RUN", help=arguments.RUN)
    report.add_argument(
        "-o", "--out", default="report.html", metavar="FILE", help="the page (default: report.html)"
    )
    report.add_argument("--split", default="test", choices=("train", "validation", "test"))
    report.add_argument("--examples", type=int, default=12, help="how many to show (default: 12)")
    report.add_argument(
        "--worst",
        choices=WORST,
        help="begin with the surest wrong classes, most false facts (sketchbirds), or least probable words",
    )
    report.add_argument(
        "--reasons",
        action="store_true",
        help="show the sentences that say what carried the decision; learns on the training data of the run",
    )
    arguments.add_data(report)
    arguments.add_mark(report)
    arguments.add_decoding(report)
    report.set_defaults(run_command=run)


def run(options: argparse.Namespace) -> None:
    """Writes the page, and prints its path."""
    from interpnet_tf.runs.reporting import report_run
    from interpnet_tf.support.progress import CountLine

    trained, mark = arguments.trained(options), arguments.mark(options)
    carried = None
    if trained.config is not None and trained.config.data == "sketchbirds":
        from interpnet_tf.experiments import reasons

        progress = CountLine("effects of the parts", "pictures")
        carried = reasons.carried_by(reasons.effects_of_run(trained, options.split, mark, progress))
    report_run(
        trained,
        options.out,
        options.split,
        examples=options.examples,
        worst=options.worst,
        mark=mark,
        decoding=arguments.decoding(options),
        carried=carried,
        reasons=options.reasons,
    )
    terminal.show(f"wrote {options.out}")
