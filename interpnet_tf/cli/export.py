"""The command `interpnet export`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal

FORMATS = ("savedmodel", "litert")
QUANTIZATIONS = ("none", "dynamic", "float16", "int8")


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    export = commands.add_parser("export", help="write a run's model for a server or a phone")
    export.add_argument("run", metavar="RUN", help=arguments.RUN)
    export.add_argument("out", metavar="OUT", help="version folder, as export/birds/1, or .tflite file")
    export.add_argument("--format", choices=FORMATS, default="savedmodel", help="(default: savedmodel)")
    export.add_argument("--quantize", choices=QUANTIZATIONS, help="litert: its weights (default: none)")
    export.add_argument("--max-batch-size", type=int, help="savedmodel: warm up to so many (default: 64)")
    export.add_argument(
        "--input", choices=("picture", "array"), help="what is sent to it (default: as it was trained)"
    )
    export.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    arguments.add_data(export)
    export.set_defaults(run_command=run)


def run(options: argparse.Namespace) -> None:
    """Exports a run."""
    from interpnet_tf.runs.sentence_source import read_source

    of_format = {"savedmodel": "max_batch_size", "litert": "quantize"}
    for format_, name in of_format.items():
        if options.format != format_ and getattr(options, name) is not None:
            raise ValueError(f"--{name.replace('_', '-')} is for --format {format_} only")
    trained = arguments.trained(options)
    settings: dict[str, Any] = {"overwrite": options.overwrite, "input": options.input}
    if trained.folder is not None:
        # A run whose classifier reads maps of three channels was trained on the pixels of pictures.
        if options.input is None and trained.model.classifier.inputs[0].shape[3:] == (3,):
            settings["input"] = "picture"
        # Where the data lay is this machine's affair.
        training = {name: value for name, value in vars(trained.config).items() if name != "root"}
        source = read_source(trained.folder)
        made = {} if source is None else {"sentences": source}
        settings["details"] = {"training": training, **made, **_metrics(options.run)}
    if options.format == "savedmodel" and options.max_batch_size is not None:
        settings["max_batch_size"] = options.max_batch_size
    if options.format == "litert":
        settings["quantize"] = None if options.quantize == "none" else options.quantize
        if trained.config is not None:
            held_out = trained.load("validation")
            settings["samples"] = held_out.subset(range(len(held_out))[:: math.ceil(len(held_out) / 500)])
    trained.model.export(options.out, options.format, **settings)
    terminal.show(f"{options.out}: exported; `interpnet kit DIR` writes what serves it and puts it on phones")


def _metrics(run: str) -> dict[str, Any]:
    """Returns the scores that `interpnet evaluate` left in a run folder, by split."""
    from interpnet_tf.support.json_files import read_record

    files = {path.stem.removeprefix("metrics-"): path for path in Path(run).glob("metrics-*.json")}
    what = ("the scores of a run", "make them anew with `interpnet evaluate`, or remove the file")
    scores = {split: read_record(path, *what) for split, path in files.items()}
    return {"metrics": scores} if scores else {}
