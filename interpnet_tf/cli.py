"""The command line `interpnet`: argument parsing and printing only."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from interpnet_tf import terminal
from interpnet_tf.arguments import DATA, Parser, add_loading, loading, seed

FORMATS = ("savedmodel", "litert")
QUANTIZATIONS = ("none", "dynamic", "float16", "int8")
SAMPLERS = ("greedy", "beam", "top_k", "top_p")
_RUN = "a run folder, or a .keras file that InterpNet.save wrote"
DECODING = (
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: those of the command; by default `sys.argv`.

    Returns:
        The exit code: 0, 2 for an error that the user can act on, 130 after an interrupt, 141 where nobody
        reads standard output any more.
    """
    options = _parser().parse_args(arguments)
    from interpnet_tf import memory, quiet

    terminal.prepare()
    memory.keep_freed_memory()
    quiet.import_tensorflow()
    try:
        try:
            options.run_command(options)
        finally:
            terminal.finish()
    except BrokenPipeError:  # whoever read standard output, such as `head`, has had enough
        return 141
    except (ValueError, OSError) as error:
        terminal.show(f"interpnet {options.command}: error: {error}", sys.stderr)
        return 2
    except KeyboardInterrupt:
        terminal.show(f"interpnet {options.command}: interrupted", sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="interpnet", description="Train, evaluate and read networks that explain themselves in words."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    from interpnet_tf import train_command as train
    from interpnet_tf.backbones import command as features
    from interpnet_tf.backbones import reduce_command as reduce
    from interpnet_tf.experiments.table1 import command as table1
    from interpnet_tf.serving import command as serve

    train.add_parser(commands)
    for add in (_add_evaluate, _add_explain, _add_export):
        add(commands)
    for command in (table1, features, reduce, serve):
        command.add_parser(commands)
    return parser


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser("evaluate", help="score a run on a split of its data")
    evaluate.add_argument("run", metavar="RUN", help=_RUN)
    evaluate.add_argument("--split", default="test", choices=("train", "validation", "test"))
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    _add_data(evaluate)
    _add_decoding(evaluate)
    evaluate.set_defaults(run_command=_evaluate)


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser("explain", help="classify files and say why")
    explain.add_argument("run", metavar="RUN", help=_RUN)
    explain.add_argument("files", metavar="FILE", nargs="+", help="images, or .npy or .npz files of arrays")
    explain.add_argument("--json", action="store_true", help="print one JSON object a line")
    explain.add_argument("--n-best", type=int, help="explanations a file (default: 1)")
    _add_decoding(explain)
    explain.set_defaults(run_command=_explain)


def _add_export(commands: Any) -> None:
    export = commands.add_parser("export", help="write a run's model for a server or a phone")
    export.add_argument("run", metavar="RUN", help=_RUN)
    export.add_argument("out", metavar="OUT", help="version folder, as export/birds/1, or .tflite file")
    export.add_argument("--format", choices=FORMATS, default="savedmodel", help="(default: savedmodel)")
    export.add_argument("--quantize", choices=QUANTIZATIONS, help="litert: its weights (default: none)")
    export.add_argument("--max-batch-size", type=int, help="savedmodel: warm up to so many (default: 64)")
    export.add_argument(
        "--input", choices=("picture", "array"), help="what is sent to it (default: as it was trained)"
    )
    export.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    _add_data(export)
    export.set_defaults(run_command=_export)


def _add_data(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("the data that the model is measured on")
    group.add_argument("--data", help=f"of a .keras file: {DATA}")
    group.add_argument("--root", help="folder of the data set (cub), where that of a run has moved")
    add_loading(group)


def _add_decoding(command: argparse.ArgumentParser) -> None:
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


def _decoding(options: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(options, name, None) for name in DECODING}
    return {"seed": 0} | {name: value for name, value in given.items() if value is not None}


def _trained(options: argparse.Namespace) -> Any:
    from interpnet_tf.trained import Trained

    return Trained(options.run, options.data, options.root, loading(options))


def _evaluate(options: argparse.Namespace) -> None:
    from interpnet_tf import evaluation
    from interpnet_tf.atomic import write_atomically

    trained, decoding = _trained(options), _decoding(options)
    training_sentences = trained.load("train").explanations
    dataset = trained.load(options.split)
    result = {"run": trained.path, "data": trained.config.data, "variant": trained.name}
    result |= {"split": options.split, "decoding": decoding}
    result |= evaluation.evaluate(trained.model, dataset, training_sentences, name=trained.name, **decoding)
    text = json.dumps(_json_safe(result), indent=1)
    if trained.folder is not None:
        write_atomically(trained.folder / f"metrics-{options.split}.json", text + "\n")
    terminal.show(text if options.json else evaluation.report(result))


def _explain(options: argparse.Namespace) -> None:
    from interpnet_tf import files
    from interpnet_tf.trained import Trained

    model = Trained(options.run).model
    names, inputs = files.read_inputs(options.files, model.classifier)
    for name, explanation in zip(names, model.explain(inputs, **_decoding(options)), strict=True):
        if options.json:
            terminal.show(json.dumps({"file": name, **explanation.to_dict()}, ensure_ascii=False))
        else:
            lines = [f"{name}: {explanation}", *(f"    or: {e.text}" for e in explanation.alternatives)]
            terminal.show("\n".join(map(terminal.harmless, lines)))


def _export(options: argparse.Namespace) -> None:
    of_format = {"savedmodel": "max_batch_size", "litert": "quantize"}
    for format_, name in of_format.items():
        if options.format != format_ and getattr(options, name) is not None:
            raise ValueError(f"--{name.replace('_', '-')} is for --format {format_} only")
    trained = _trained(options)
    settings: dict[str, Any] = {"overwrite": options.overwrite, "input": options.input}
    if trained.folder is not None:
        # A run whose classifier reads maps of three channels was trained on the pixels of pictures.
        if options.input is None and trained.model.classifier.inputs[0].shape[3:] == (3,):
            settings["input"] = "picture"
        # Where the data lay is this machine's affair.
        training = {name: value for name, value in vars(trained.config).items() if name != "root"}
        settings["details"] = {"training": training, **_metrics(options.run)}
    if options.format == "savedmodel" and options.max_batch_size is not None:
        settings["max_batch_size"] = options.max_batch_size
    if options.format == "litert":
        settings["quantize"] = None if options.quantize == "none" else options.quantize
        if trained.config is not None:
            held_out = trained.load("validation")
            settings["samples"] = held_out.subset(range(len(held_out))[:: math.ceil(len(held_out) / 500)])
    trained.model.export(options.out, options.format, **settings)
    terminal.show(f"{options.out}: exported; export/README.md says how to serve it and put it on phones")


def _metrics(run: str) -> dict[str, Any]:
    """Returns the scores that `interpnet evaluate` left in a run folder, by split."""
    from interpnet_tf.json_files import read_record

    files = {path.stem.removeprefix("metrics-"): path for path in Path(run).glob("metrics-*.json")}
    what = ("the scores of a run", "make them anew with `interpnet evaluate`, or remove the file")
    scores = {split: read_record(path, *what) for split, path in files.items()}
    return {"metrics": scores} if scores else {}


def _json_safe(value: Any) -> Any:
    """Replaces not-a-number, which JSON lacks, by null."""
    if isinstance(value, dict):
        return {key: _json_safe(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


if __name__ == "__main__":
    sys.exit(main())
