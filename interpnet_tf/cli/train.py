"""The command `interpnet train`."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal

if TYPE_CHECKING:
    from interpnet_tf.runs import RunConfig

VARIANTS = ("captioning", "interpnet-0", "interpnet-1", "interpnet-2", "interpnet-3")
DECODERS = ("lrcn", "transformer")
SCHEDULES = ("paper", "cosine")
OUTPUTS = ("probabilities", "logits", "multi_label", "multi_label_logits")


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    train = commands.add_parser("train", help="train a classifier and its explainer, and write a run folder")
    train.add_argument("--data", help=arguments.DATA)
    train.add_argument("--root", help="folder of the data set (cub, esnli)")
    train.add_argument(
        "--variant", choices=VARIANTS, help="which network of the paper (default: interpnet-2)"
    )
    train.add_argument("--decoder", choices=DECODERS, help="the decoder (default: lrcn)")
    train.add_argument("--out", required=True, metavar="RUN", help="run folder to write")
    train.add_argument("--seed", type=arguments.seed, help="of everything random (default: 0)")
    train.add_argument("--resume", action="store_true", help="continue the run in --out where it stopped")
    train.add_argument("--epochs", type=int, help="most epochs of the explainer (default: 30)")
    train.add_argument(
        "--cool-down", type=int, help="so many epochs at the end halve the explainer's rate (default: 0)"
    )
    train.add_argument("--classifier-epochs", type=int, help="most epochs of the classifier (default: 40)")
    train.add_argument(
        "--classifier-dropout", type=float, help="of the classifier's hidden layers (default: 0)"
    )
    train.add_argument(
        "--reason-epochs",
        type=int,
        help="so many epochs afterwards pay the explainer for saying what carried the decision (default: 0)",
    )
    train.add_argument(
        "--explainer",
        metavar="RUN",
        help="train this finished run on, with --reason-epochs; its data and options stay as they are",
    )
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
        "--units",
        type=int,
        help="width of the decoder's layers (default: by the vocabulary, up to lrcn 512, transformer 256)",
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
        "--classifier",
        metavar="FILE.keras",
        help="explain this trained classifier, any of Keras, or that of a run, and train no other",
    )
    train.add_argument(
        "--classifier-output",
        dest="output",
        choices=OUTPUTS,
        help="what --classifier gives (default: found out from what it computes)",
    )
    train.add_argument(
        "--layers",
        nargs="+",
        metavar="LAYER",
        help="whose activations explain, by name (default: the variant's, or all of --classifier)",
    )
    arguments.add_loading(train)
    train.set_defaults(run_command=run)


def run(options: argparse.Namespace) -> None:
    """Trains, or goes on with a training."""
    from interpnet_tf import runs
    from interpnet_tf.support import progress

    given = {name: value for name, value in vars(options).items() if value is not None}
    fields = {name: given[name] for name in runs.RunConfig.__dataclass_fields__ if name in given}
    if options.resume and (Path(options.out) / "config.json").exists():
        config = runs.read_config(options.out)
        if changed := [name for name, value in fields.items() if getattr(config, name) != value]:
            raise ValueError(
                f"{options.out} was started with other values of {', '.join(changed)}; resume it with "
                f"`interpnet train --resume --out {options.out}` alone, or start another run"
            )
    elif "explainer" in fields:
        config = _trained_on(runs.read_config(options.explainer), fields, arguments.loading(options))
    elif "data" not in fields:
        raise ValueError(f"--data is missing: {arguments.DATA}")
    else:
        if "classifier" in fields:
            fields.setdefault("variant", None)
        config = runs.RunConfig(**fields, options=arguments.loading(options))
    callbacks = {
        "classifier": [progress.EpochLines("classifier")],
        "explainer": [progress.EpochLines("explainer")],
        "reasons": [progress.EpochLines("reasons")],
    }
    model = runs.train(config, options.out, options.resume, callbacks)
    words, units = model.tokenizer.vocabulary_size, model.decoder.units
    terminal.show(
        f"{options.out}: trained, with a decoder of {units} units for {words} words; see how good it is "
        f"with: interpnet evaluate {options.out}"
    )


def _trained_on(config: RunConfig, fields: dict[str, Any], loading: dict[str, Any]) -> RunConfig:
    """Returns the config of a run that trains another one on."""
    if other := sorted((fields | loading).keys() - {"explainer", "reason_epochs", "seed", "root"}):
        raise ValueError(
            f"--explainer brings data and options of its run, and {', '.join(other)} cannot be changed; give "
            "--reason-epochs, and --seed or --root where they differ"
        )
    if "reason_epochs" not in fields:
        raise ValueError("--explainer needs --reason-epochs, such as --reason-epochs 4")
    return dataclasses.replace(config, **fields)
