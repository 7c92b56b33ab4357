"""The command `interpnet table1`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from interpnet_tf.experiments.table1.rows import GROUPS
from interpnet_tf.experiments.table1.settings import SETTINGS
from interpnet_tf.support import terminal

DESCRIPTION = """Train and measure the rows of the paper's Table 1, and print them beside the paper's figures.
Rows that are finished are not repeated, and a row that was interrupted goes on where it stopped: run the same
command again after a kill. `--rows finished` trains nothing and prints what there is. To judge a row anew,
remove its file of results: its sentences are kept in OUT."""
_OVERRIDES = ("epochs", "classifier_epochs", "units")


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Adds the command to those of `interpnet`."""
    table1 = commands.add_parser(
        "table1", help="train and measure the rows of the paper's Table 1", description=DESCRIPTION
    )
    table1.add_argument("--data", choices=tuple(SETTINGS), required=True)
    table1.add_argument("--root", help="folder of the data set (cub)")
    table1.add_argument("--out", type=Path, required=True, help="folder of models, sentences and the table")
    table1.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="finished rows are kept in DIR/DATA (default: OUT/results)",
    )
    table1.add_argument(
        "--rows",
        nargs="+",
        default=["paper"],
        metavar="ROW",
        help=f"rows, or the groups {', '.join(GROUPS)} (default: paper)",
    )
    table1.add_argument("--seeds", type=int, default=3, help="how many, from 0 (default: 3)")
    table1.add_argument("--features", metavar="FILE", help="cub: the .npz of features")
    table1.add_argument(
        "--mixed-precision", action="store_true", default=None, help="train the decoders in bfloat16"
    )
    table1.add_argument("--per-species", type=int, help="sketchbirds: pictures of each species in a split")
    table1.add_argument("--epochs", type=int, help="most epochs of the explainers")
    table1.add_argument("--classifier-epochs", type=int, help="most epochs of the classifiers")
    table1.add_argument("--units", type=int, help="width of the decoders' layers")
    table1.set_defaults(run_command=run)
    return table1


def run(options: argparse.Namespace) -> None:
    """Finishes the rows and writes the table."""
    import json

    from interpnet_tf.experiments.table1 import material, picture, report, rows, runner
    from interpnet_tf.experiments.table1.results import Results, plain
    from interpnet_tf.experiments.table1.training import Trainer
    from interpnet_tf.support.atomic import write_atomically

    if options.seeds < 1:
        raise ValueError(f"--seeds must be at least 1, got {options.seeds}")
    if options.data != "cub" and options.features:
        raise ValueError(f"--features is for --data cub only, got {options.features}")
    if options.data != "sketchbirds" and options.per_species:
        raise ValueError(f"--per-species is for --data sketchbirds only, got {options.per_species}")
    given = {name: value for name in _OVERRIDES if (value := getattr(options, name)) is not None}
    if options.mixed_precision:
        given["mixed_precision"] = True
    loading = {name: value for name in ("features", "per_species") if (value := getattr(options, name))}
    results = Results((options.results or options.out / "results") / options.data)
    finished = {result.row for result in results.all()}
    chosen = rows.chosen(options.rows, options.data, finished)
    if not chosen:
        raise ValueError(f"there is no finished row in {results.folder}; name rows to train with --rows")
    data = material.load(options.data, options.root, **loading)
    if options.rows == ["finished"]:
        runner.check_material(results, data)
    else:
        runner.run(Trainer(options.out / options.data, data, given), chosen, options.seeds, results)
    table = report.Report(results.all())
    for suffix, text in {
        "md": table.markdown(),
        "csv": table.csv(),
        "json": json.dumps(plain(table.summary()), indent=1) + "\n",
    }.items():
        write_atomically(options.out / f"table1-{options.data}.{suffix}", text)
    picture.save(table, options.out / f"table1-{options.data}.png")
    terminal.show(table.text())
    terminal.show(f"\n{options.out / f'table1-{options.data}'}.md, .csv, .json and .png hold this table")
