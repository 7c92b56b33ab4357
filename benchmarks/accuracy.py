"""How many of the 200 species the paper's MLP tells apart with features of one's own.

    python benchmarks/accuracy.py --root cub --features all.npz

Trains it with dropout, mixup and the paper's schedule at a gentler rate, and counts once on the official test
split. The validation photographs, a tenth of the training split, tell when the training stops.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", required=True, help="folder of CUB-200-2011")
    parser.add_argument("--features", required=True, help=".npz file, such as `interpnet features` writes")
    parser.add_argument("--hidden", type=int, nargs="*", default=(500, 300), help="units (default: 500 300)")
    parser.add_argument("--dropout", type=float, default=0.5, help="of the hidden layers (default: 0.5)")
    parser.add_argument("--mixup", type=float, default=1.0, help="(default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help=".keras file to keep the classifier in")
    options = parser.parse_args()
    import keras

    import interpnet_tf
    from interpnet_tf import classifiers
    from interpnet_tf.data import cub
    from interpnet_tf.support.progress import EpochLines
    from interpnet_tf.training import train_classifier

    interpnet_tf.keep_freed_memory()
    train, valid, test = (
        cub.load(options.root, split, options.features) for split in ("train", "validation", "test")
    )
    seed, epochs = options.seed, 60
    keras.utils.set_random_seed(seed)
    width, classes = train.inputs.shape[1], len(train.class_names)
    classifier = classifiers.mlp(width, classes, options.hidden, options.dropout, seed=seed)
    lines = [EpochLines("classifier")]
    gently = {"learning_rate": 5e-4, "patience": 3, "stop_after": 8}
    train_classifier(
        classifier, train, valid, epochs, seed=seed, callbacks=lines, mixup=options.mixup, **gently
    )
    for name, split in {"validation": valid, "test": test}.items():
        predicted = classifier.predict(split.inputs, batch_size=64, verbose=0).argmax(axis=-1)
        right = (predicted == split.labels).mean()
        print(f"{name}: {100 * right:.1f} % of {len(split)} photographs, {width} features, seed {seed}")
    if options.out:
        classifier.save(options.out)


if __name__ == "__main__":
    main()
