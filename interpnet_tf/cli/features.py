"""The command `interpnet features`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from interpnet_tf.cli import arguments
from interpnet_tf.support import terminal

DESCRIPTION = """Compute the features of images, or of pairs of sentences, that a classifier reads, with a
pretrained backbone.
Interrupted, the same command goes on where it stopped."""

# The layer behind which fine-tuning trains: the last stride-16 map, so that two thirds of the work are
# done once an image.
_FINETUNE_LAYERS = {
    "efficientnet-lite0": "block5c_add",
    "efficientnet-lite1": "block5d_add",
    "efficientnet-lite2": "block5d_add",
}

# What says nothing about sentences.
_OF_IMAGES = (
    *("weights", "pooling", "bilinear_dim", "join", "image_size", "crop", "resize", "flip"),
    *("finetune", "finetune_layer", "views", "epochs", "learning_rate", "seed"),
)


def add_parser(commands: Any) -> None:
    """Adds the command to those of `interpnet`."""
    features = commands.add_parser(
        "features", help="compute features of images or sentences with a backbone", description=DESCRIPTION
    )
    features.add_argument(
        "--backbone",
        required=True,
        metavar="NAME",
        help="efficientnet-lite0, -lite1, -lite2, a model of keras.applications such as MobileNetV2, a "
        "KerasHub preset such as resnet_50_imagenet, or a .keras file; of sentences minilm, or a folder with "
        "the files of a BERT",
    )
    what = features.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--images",
        metavar="DIR",
        help="the folder that holds CUB_200_2011, for its images in the order of images.txt; any other for "
        "all images in it, sorted by path",
    )
    what.add_argument(
        "--data", choices=("esnli",), help="all pairs of sentences of this data set, with --root"
    )
    features.add_argument("--root", metavar="DIR", help="folder of the data set (esnli)")
    features.add_argument("--out", required=True, metavar="FILE.npz", help="arrays features and ids")
    features.add_argument(
        "--weights",
        metavar="FILE",
        help="weights of the backbone; 'none' for random ones (default: ImageNet's)",
    )
    features.add_argument(
        "--pooling",
        nargs="+",
        default=["average"],
        metavar="KIND[:LAYER]",
        help="average, root_average or compact_bilinear, of the last map or a layer's; several are "
        "concatenated (default: average)",
    )
    features.add_argument(
        "--bilinear-dim", type=int, default=8192, help="numbers of compact_bilinear (default: 8192)"
    )
    features.add_argument(
        "--batch-size", type=int, help="images or sentences a batch (default: 16 images, 64 sentences)"
    )
    features.add_argument(
        "--join",
        nargs="+",
        default=[],
        metavar="FILE.npz",
        help="put these features of the same images before the new ones, such as another backbone's",
    )
    views = features.add_argument_group("what the backbone is shown of an image")
    views.add_argument("--image-size", type=int, help="height and width (default: the backbone's)")
    views.add_argument(
        "--crop",
        default="centre",
        choices=("centre", "whole", "five"),
        help="the centre, the whole image squeezed into a square, or centre and corners (default: centre)",
    )
    views.add_argument("--resize", type=int, help="scale the short side to this before a crop")
    views.add_argument("--flip", action="store_true", help="average with the mirror image's features")
    tuning = features.add_argument_group("fine-tuning on the classes of CUB, before the features are made")
    tuning.add_argument(
        "--finetune",
        type=Path,
        metavar="DIR",
        help="fine-tune the last layers on the training images; DIR keeps backbone.keras and what an "
        "interrupted training goes on from",
    )
    tuning.add_argument("--finetune-layer", metavar="LAYER", help="train what lies behind it")
    tuning.add_argument("--views", type=int, help="random views of each training image (default: 3)")
    tuning.add_argument("--epochs", type=int, help="(default: 12)")
    tuning.add_argument("--learning-rate", type=float, help="at its highest (default: 0.01)")
    tuning.add_argument(
        "--seed", type=arguments.seed, help="of everything random, and of CUB's validation images"
    )
    of_images = {name: features.get_default(name) for name in _OF_IMAGES}
    features.set_defaults(run_command=run, of_images=of_images)


def run(options: argparse.Namespace) -> None:
    """Computes the features."""
    if options.images is None:
        _of_pairs(options)
    elif options.root is not None:
        raise ValueError(f"--root is for --data, got {options.root!r} with --images; leave it out")
    else:
        _of_images(options)


def _of_pairs(options: argparse.Namespace) -> None:
    """Computes the features of all pairs of sentences of a data set."""
    from interpnet_tf.backbones.minilm import minilm
    from interpnet_tf.backbones.pair_features import extract_pairs
    from interpnet_tf.data import esnli, feature_files
    from interpnet_tf.support import progress

    given = [name for name, default in options.of_images.items() if getattr(options, name) != default]
    if given:
        raise ValueError(f"--{given[0].replace('_', '-')} is for --images; leave it out with --data")
    if options.root is None:
        raise ValueError(f"--data {options.data} needs --root: the folder that holds its files")
    if options.backbone != "minilm" and not Path(options.backbone).exists():
        raise ValueError(
            "--backbone of sentences must be minilm or the path of a BERT's folder or archive, got "
            f"{options.backbone!r}"
        )
    feature_files.check_out(Path(options.out))
    parts = [esnli.load(options.root, split, features=False) for split in ("trainval", "test")]
    extracted = extract_pairs(
        minilm(None if options.backbone == "minilm" else options.backbone),
        [pair for part in parts for pair in zip(*part.inputs.values(), strict=True)],
        options.out,
        [name for part in parts for name in part.ids],
        batch_size=options.batch_size or 64,
        settings={"backbone": options.backbone},
        progress=progress.CountLine("vectors", "sentences"),
    )
    terminal.show(f"{options.out}: {extracted.shape[1]} features of {extracted.shape[0]} pairs of sentences")


def _of_images(options: argparse.Namespace) -> None:
    """Fine-tunes where that is asked for, and computes the features of images."""
    from interpnet_tf.backbones import features, loading, views
    from interpnet_tf.support import progress

    ids, paths = views.find_images(options.images)
    weights = {None: "imagenet", "none": None}.get(options.weights, options.weights)
    backbone = loading.load_backbone(options.backbone, weights, options.image_size)
    model = features.feature_model(backbone, options.pooling, options.bilinear_dim)
    features.check(model, Path(options.out), options.crop, options.resize)
    settings = {"backbone": options.backbone, "weights": weights}
    if options.finetune is not None:
        _finetune(backbone, options, settings)
        settings["finetune"] = str(options.finetune)
    settings |= {"pooling": options.pooling, "bilinear_dim": options.bilinear_dim}
    extracted = features.extract(
        model,
        paths,
        options.out,
        ids,
        crop=options.crop,
        resize=options.resize,
        flip=options.flip,
        batch_size=options.batch_size or 16,
        join=options.join,
        settings=settings,
        progress=progress.CountLine("features", "images"),
    )
    terminal.show(f"{options.out}: {extracted.shape[1]} features of {extracted.shape[0]} images")


def _finetune(backbone: Any, options: argparse.Namespace, settings: dict[str, Any]) -> None:
    """Trains the weights of a backbone in place."""
    from interpnet_tf.data import cub
    from interpnet_tf.support import progress
    from interpnet_tf.training import finetune

    layer = options.finetune_layer or _FINETUNE_LAYERS.get(options.backbone)
    if layer is None:
        raise ValueError(
            f"--finetune of {options.backbone} needs --finetune-layer, the layer behind which the weights "
            f"are trained, such as {backbone.layers[len(backbone.layers) * 2 // 3].name}"
        )
    names = ("views", "epochs", "learning_rate", "seed")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    config = finetune.FinetuneConfig(layer, **given)
    train, valid = (
        cub.image_paths(options.images, split, seed=config.seed) for split in ("train", "validation")
    )
    finetune.finetune(
        backbone,
        train,
        valid,
        options.finetune,
        config,
        settings,
        lambda split: progress.CountLine(f"maps, {split}", "images"),
        [progress.EpochLines("fine-tuning")],
    )
