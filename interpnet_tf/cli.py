"""The command line `interpnet`: argument parsing and printing only."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

VARIANTS = ("captioning", "interpnet-0", "interpnet-1", "interpnet-2", "interpnet-3")
DECODERS = ("lrcn", "transformer")
SCHEDULES = ("paper", "cosine")
FORMATS = ("savedmodel", "litert")
QUANTIZATIONS = ("none", "dynamic", "float16", "int8")
SAMPLERS = ("greedy", "beam", "top_k", "top_p")
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
        The exit code: 0, 2 for an error that the user can act on, 130 after an interrupt.
    """
    options = _parser().parse_args(arguments)
    from interpnet_tf import memory, quiet

    memory.keep_freed_memory()
    quiet.import_tensorflow()
    try:
        options.run_command(options)
    except (ValueError, OSError) as error:
        print(f"interpnet {options.command}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interpnet {options.command}: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="interpnet", description="Train, evaluate and read networks that explain themselves in words."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    from interpnet_tf.backbones import command as features
    from interpnet_tf.backbones import reduce_command as reduce
    from interpnet_tf.experiments.table1 import command as table1
    from interpnet_tf.serving import command as serve

    for add in (_add_train, _add_evaluate, _add_explain, _add_export):
        add(commands)
    for command in (table1, features, reduce, serve):
        command.add_parser(commands)
    return parser


def _add_train(commands: Any) -> None:
    train = commands.add_parser("train", help="train a classifier and its explainer, and write a run folder")
    train.add_argument("--data", help="cub, sketchbirds, or a .csv or .jsonl file of your own")
    train.add_argument("--root", help="folder of the data set (cub)")
    train.add_argument(
        "--variant", choices=VARIANTS, help="which network of the paper (default: interpnet-2)"
    )
    train.add_argument("--decoder", choices=DECODERS, help="the decoder (default: lrcn)")
    train.add_argument("--out", required=True, metavar="RUN", help="run folder to write")
    train.add_argument("--seed", type=int, help="of everything random (default: 0)")
    train.add_argument("--resume", action="store_true", help="continue the run in --out where it stopped")
    train.add_argument("--epochs", type=int, help="most epochs of the explainer (default: 30)")
    train.add_argument(
        "--cool-down", type=int, help="so many epochs at the end halve the explainer's rate (default: 0)"
    )
    train.add_argument("--classifier-epochs", type=int, help="most epochs of the classifier (default: 40)")
    train.add_argument("--batch-size", type=int, help="sentences or examples a batch (default: 32)")
    train.add_argument("--learning-rate", type=float, help="of the explainer at the start (default: 0.0005)")
    train.add_argument(
        "--schedule",
        choices=SCHEDULES,
        help="paper halves the explainer's rate where validation does not improve and stops early, cosine "
        "lets it fall to zero over all epochs (default: paper)",
    )
    train.add_argument(
        "--warmup-epochs", type=float, help="so many at the start raise the rate of cosine (default: 0)"
    )
    train.add_argument(
        "--label-smoothing", type=float, help="of the explainer's words, such as 0.1 (default: 0)"
    )
    train.add_argument(
        "--units", type=int, help="width of the decoder's layers (default: lrcn 512, transformer 256)"
    )
    train.add_argument("--dropout", type=float, help="of the decoder (default: lrcn 0.5, transformer 0.1)")
    train.add_argument("--minimum-count", type=int, help="rarer words are not learnt (default: 2)")
    train.add_argument("--max-length", type=int, help="most words of an explanation (default: 32)")
    train.add_argument(
        "--mixed-precision",
        action="store_true",
        default=None,
        help="multiply in bfloat16: faster where the processor has instructions for it, slower elsewhere",
    )
    train.add_argument(
        "--backbone", metavar="RUN", help="take the convolutional layers of this run as they are"
    )
    train.add_argument(
        "--features", metavar="FILE", help="the .npz of features of the images; cub: 'none' for photographs"
    )
    train.add_argument("--image-size", type=int, help="height and width that photographs are scaled to")
    train.add_argument("--per-species", type=int, help="sketchbirds: pictures of each species in a split")
    train.set_defaults(run_command=_train)


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser("evaluate", help="score a run on a split of its data")
    evaluate.add_argument("run", metavar="RUN")
    evaluate.add_argument("--split", default="test", choices=("train", "validation", "test"))
    evaluate.add_argument("--root", help="folder of the data set, where it has moved")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    _add_decoding(evaluate)
    evaluate.set_defaults(run_command=_evaluate)


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser("explain", help="classify files and say why")
    explain.add_argument("run", metavar="RUN")
    explain.add_argument("files", metavar="FILE", nargs="+", help="images, or .npy or .npz files of features")
    explain.add_argument("--json", action="store_true", help="print one JSON object a line")
    explain.add_argument("--n-best", type=int, help="explanations a file (default: 1)")
    _add_decoding(explain)
    explain.set_defaults(run_command=_explain)


def _add_export(commands: Any) -> None:
    export = commands.add_parser("export", help="write a run's model for a server or a phone")
    export.add_argument("run", metavar="RUN")
    export.add_argument("out", metavar="OUT", help="version folder, as export/birds/1, or .tflite file")
    export.add_argument("--format", choices=FORMATS, default="savedmodel", help="(default: savedmodel)")
    export.add_argument("--quantize", choices=QUANTIZATIONS, help="litert: its weights (default: none)")
    export.add_argument("--root", help="litert: folder of the data set, where it has moved")
    export.add_argument("--max-batch-size", type=int, help="savedmodel: warm up to so many (default: 64)")
    export.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    export.set_defaults(run_command=_export)


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
    group.add_argument("--seed", type=int, help="of the draws of top_k and top_p (default: 0)")


def _decoding(options: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(options, name, None) for name in DECODING}
    return {"seed": 0} | {name: value for name, value in given.items() if value is not None}


def _train(options: argparse.Namespace) -> None:
    from interpnet_tf import progress, runs

    given = {name: value for name, value in vars(options).items() if value is not None}
    fields = {name: given[name] for name in runs.RunConfig.__dataclass_fields__ if name in given}
    loading = {name: given[name] for name in ("features", "image_size", "per_species") if name in given}
    if loading.get("features") == "none":
        loading["features"] = False
    if options.resume and (Path(options.out) / "config.json").exists():
        config = runs.read_config(options.out)
        if changed := [name for name, value in fields.items() if getattr(config, name) != value]:
            raise ValueError(
                f"{options.out} was started with other values of {', '.join(changed)}; resume it with "
                f"`interpnet train --resume --out {options.out}` alone, or start another run"
            )
    elif "data" not in fields:
        raise ValueError("--data is missing: cub, sketchbirds, or a .csv or .jsonl file of your own")
    else:
        config = runs.RunConfig(**fields, options=loading)
    callbacks = {
        "classifier": [progress.EpochLines("classifier")],
        "explainer": [progress.EpochLines("explainer")],
    }
    runs.train(config, options.out, options.resume, callbacks)
    print(f"{options.out}: trained; see how good it is with: interpnet evaluate {options.out}")


def _evaluate(options: argparse.Namespace) -> None:
    from interpnet_tf import evaluation, runs

    config, model = runs.read(options.run)
    moved = {"root": options.root} if options.root else {}
    decoding = _decoding(options)
    result = {"run": str(options.run), "data": config.data, "variant": config.variant, "split": options.split}
    result["decoding"] = decoding
    training_sentences = config.load("train", **moved).explanations
    dataset = config.load(options.split, **moved)
    result |= evaluation.evaluate(model, dataset, training_sentences, name=config.variant, **decoding)
    text = json.dumps(_json_safe(result), indent=1)
    runs.write_atomically(Path(options.run) / f"metrics-{options.split}.json", text + "\n")
    print(text if options.json else evaluation.report(result))


def _explain(options: argparse.Namespace) -> None:
    from interpnet_tf import files, runs

    _, model = runs.read(options.run)
    names, inputs = files.read_inputs(options.files, model.classifier)
    for name, explanation in zip(names, model.explain(inputs, **_decoding(options)), strict=True):
        if options.json:
            print(json.dumps({"file": name, **explanation.to_dict()}, ensure_ascii=False))
        else:
            print(
                f"{name}: {explanation}", *(f"    or: {e.text}" for e in explanation.alternatives), sep="\n"
            )


def _export(options: argparse.Namespace) -> None:
    from interpnet_tf import runs

    of_format = {"savedmodel": "max_batch_size", "litert": "quantize"}
    for format_, name in of_format.items():
        if options.format != format_ and getattr(options, name) is not None:
            raise ValueError(f"--{name.replace('_', '-')} is for --format {format_} only")
    config, model = runs.read(options.run)
    # Where the data lay is this machine's affair.
    training = {name: value for name, value in vars(config).items() if name != "root"}
    settings: dict[str, Any] = {"overwrite": options.overwrite}
    settings["details"] = {"training": training, **_metrics(options.run)}
    if options.format == "savedmodel" and options.max_batch_size is not None:
        settings["max_batch_size"] = options.max_batch_size
    if options.format == "litert":
        settings["quantize"] = None if options.quantize == "none" else options.quantize
        held_out = config.load("validation", **({"root": options.root} if options.root else {}))
        settings["samples"] = held_out.subset(range(len(held_out))[:: math.ceil(len(held_out) / 500)])
    model.export(options.out, options.format, **settings)
    print(f"{options.out}: exported; export/README.md says how to serve it and put it on phones")


def _metrics(run: str) -> dict[str, Any]:
    """Returns the scores that `interpnet evaluate` left in a run folder, by split."""
    files = {path.stem.removeprefix("metrics-"): path for path in Path(run).glob("metrics-*.json")}
    scores = {split: json.loads(path.read_text("utf-8")) for split, path in files.items()}
    return {"metrics": scores} if scores else {}


def _json_safe(value: Any) -> Any:
    """Replaces not-a-number, which JSON lacks, by null."""
    if isinstance(value, dict):
        return {key: _json_safe(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


if __name__ == "__main__":
    sys.exit(main())
