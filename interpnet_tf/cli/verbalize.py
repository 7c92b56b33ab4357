"""The command `interpnet verbalize`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal

DESCRIPTION = """Make sentences where nobody wrote any: from a table that says what is true of classes or of
examples, with words of yours or made of the columns' names. OUT is a file of records for `interpnet train
--data`; the verbalizer is kept beside it, as OUT.verbalizer.json."""

_SHOWN = 5  # classes of which a sentence is printed


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    verbalize = commands.add_parser(
        "verbalize", help="make sentences of a table, where nobody wrote any", description=DESCRIPTION
    )
    table = verbalize.add_mutually_exclusive_group(required=True)
    table.add_argument(
        "--attributes",
        type=Path,
        metavar="FILE.csv",
        help="a row for each class (with --examples) or example; columns `attribute` or `attribute::value` "
        "with the share of people who saw it, 0 to 1 or in per cent",
    )
    table.add_argument(
        "--table",
        type=Path,
        metavar="FILE.csv",
        help="a row for each example; columns of numbers, categories, yes and no",
    )
    table.add_argument("--data", choices=("cub",), help="the 312 attributes of CUB-200-2011, with --root")
    verbalize.add_argument("--out", required=True, type=Path, metavar="OUT.jsonl", help="records to write")
    verbalize.add_argument(
        "--examples", type=Path, metavar="FILE", help="a .csv or .jsonl of examples of the classes"
    )
    verbalize.add_argument("--root", type=Path, help="folder of the data set (cub)")
    verbalize.add_argument("--label", default="label", metavar="COLUMN", help="of the class (default: label)")
    words = verbalize.add_argument_group("how it is said")
    words.add_argument(
        "--templates", metavar="FILE.json", help="phrases of yours, or cub (default: the columns' names)"
    )
    words.add_argument("--subject", metavar="NOUN", help="what the examples are, such as bird")
    words.add_argument("--sentences", type=int, default=10, metavar="N", help="an example (default: 10)")
    words.add_argument(
        "--facts",
        type=int,
        nargs=2,
        default=(2, 5),
        metavar=("LEAST", "MOST"),
        help="of a sentence (default: 2 5)",
    )
    words.add_argument(
        "--threshold", type=arguments.share, default=0.5, help="weight from which on a value is true (0.5)"
    )
    words.add_argument("--seed", type=arguments.seed, default=0, help="of everything random (default: 0)")
    verbalize.set_defaults(run_command=run, needs_tensorflow=False)


def run(options: argparse.Namespace) -> None:
    """Makes the sentences, and writes records and verbalizer."""
    from interpnet_tf.data.verbalizer import Verbalizer, examples

    if (options.data is None) != (options.root is None):
        raise ValueError("--data cub and --root go together: the folder that holds CUB_200_2011")
    if options.examples is not None and options.attributes is None:
        raise ValueError("--examples is for --attributes: the examples of the classes that it describes")
    examples.check_path(options.out)
    verbalizer = Verbalizer(
        options.templates or options.data,
        subject=options.subject,
        kinds="weights" if options.attributes else None,
        threshold=options.threshold,
        facts_a_sentence=tuple(options.facts),
    )
    how = {"n": options.sentences, "seed": options.seed}
    if options.data:
        records = examples.of_cub(options.root, verbalizer, **how)
    elif options.examples:
        files = options.attributes, options.examples
        records = examples.of_classes(*files, verbalizer, options.label, **how)
    else:
        path = options.attributes or options.table
        records = examples.of_table(path, verbalizer, options.label, **how)
    beside = examples.write(options.out, records, verbalizer)
    classes: dict[str, str] = {}
    for record in records:
        classes.setdefault(record["label"], (record["explanations"] or [""])[0])
    for label in list(classes)[:_SHOWN]:
        terminal.show(f"{label}: {classes[label]}")
    sentences = sum(len(record["explanations"]) for record in records)
    terminal.show(
        f"{options.out}: {sentences} sentences about {len(records)} examples of {len(classes)} classes; "
        f"{len(verbalizer.facts)} facts can be said, see {beside}"
    )
