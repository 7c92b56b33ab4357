"""How good explanations of e-SNLI are, beside what needs no network, or no machine at all.

    python benchmarks/esnli.py runs/esnli-2 runs/esnli-0 --root esnli --features pairs.npz

Prints a row for each run, and one each for the most frequent sentence, that of the true label, a template
filled with the pair and chosen by the true label, a sentence of the nearest training pair, and a person,
whose first explanation is scored against the others. A reader of words and pairs of words, trained on
people's explanations of the training pairs, names the label that a sentence tells: `label told` is the share
in which that is the true one, `label kept` the one that the network predicts.
"""

from __future__ import annotations

import argparse
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# After the templates of Camburu et al., 2018, appendix A.
TEMPLATES = {
    "neutral": "Just because {premise} does not mean that {hypothesis} .",
    "entailment": "{premise} implies that {hypothesis} .",
    "contradiction": "It can either be {premise} or {hypothesis} .",
}
METRICS = ("bleu_4", "meteor", "cider_d", "rouge_l")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", metavar="RUN", nargs="*", help="run folders")
    parser.add_argument("--root", required=True, help="folder of e-SNLI")
    parser.add_argument("--features", required=True, help=".npz file that `interpnet features` wrote")
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument("--sampler", default="greedy", help="how runs choose words (default: greedy)")
    parser.add_argument("--no-yardsticks", action="store_true", help="print the runs' rows alone")
    parser.add_argument(
        "--classifiers", type=int, metavar="SEEDS", help="train the paper's classifiers with so many seeds"
    )
    options = parser.parse_args()
    if options.classifiers:
        train_classifiers(options)

    import numpy as np

    from interpnet_tf import metrics, runs
    from interpnet_tf.data import esnli
    from interpnet_tf.metrics.read_back import ReadBack

    train, test = (esnli.load(options.root, split, options.features) for split in ("train", options.split))
    reader = ReadBack().fit(train.explanations, train.labels)
    references = test.explanations

    print(
        "| | accuracy | BLEU-4 | METEOR | CIDEr-D | ROUGE-L | label told | label kept | different sentences |"
    )
    print("|---|---|---|---|---|---|---|---|---|")

    def row(
        name: str, said: list[str], others: list[list[str]] = references, predicted: np.ndarray | None = None
    ):
        scores, read = metrics.score(said, others, METRICS), reader.predict(said)
        shares = [None if predicted is None else np.mean(predicted == test.labels)]
        shares += [scores[metric] for metric in METRICS] + [np.mean(read == test.labels)]
        shares += [None if predicted is None else np.mean(read == predicted)]
        cells = ["" if share is None else f"{100 * share:.1f}" for share in shares]
        print(f"| {name} | {' | '.join(cells)} | {len(set(said))} |", flush=True)

    for run in options.runs:
        explanations = runs.read(run)[1].explain(test, sampler=options.sampler)
        predicted = np.array([explanation.class_id for explanation in explanations])
        said = [explanation.text for explanation in explanations]
        row(run, said, predicted=predicted)
        kept, right = reader.predict(said) == predicted, predicted == test.labels
        groups = {"where it is right": right, "where it is wrong": ~right}
        groups |= {f"of {name}": predicted == label for label, name in enumerate(test.class_names)}
        shares = [f"{100 * kept[group].mean():.1f} % {name}" for name, group in groups.items()]
        print(f"{run} keeps its label in {', '.join(shares)}", file=sys.stderr)
    if options.no_yardsticks:
        return
    pairs = esnli.load(options.root, options.split, features=False).inputs
    row("constant", [metrics.most_frequent_sentence(train.explanations)] * len(test))
    of_labels = [
        metrics.most_frequent_sentence(train.subset(train.labels == label).explanations)
        for label in range(len(train.class_names))
    ]
    row("constant of the true label", [of_labels[label] for label in test.labels])
    row(
        "template of the true label, filled with the pair",
        [
            TEMPLATES[test.class_names[label]].format(
                premise=premise.rstrip(" ."), hypothesis=said.rstrip(" .")
            )
            for label, premise, said in zip(test.labels, *pairs.values(), strict=True)
        ],
    )
    row("nearest training pair", metrics.nearest_neighbour(train.explanations, train.inputs, test.inputs))
    row("one person against the others", *metrics.human_row(references))


def train_classifiers(options: argparse.Namespace) -> None:
    """Trains the paper's classifiers on the split of seed 0, and prints their accuracy."""
    import keras
    import numpy as np

    from interpnet_tf import classifiers
    from interpnet_tf.data import esnli
    from interpnet_tf.training import train_classifier

    train, valid, test = (
        esnli.load(options.root, split, options.features) for split in ("train", "validation", "test")
    )
    for variant in ("captioning", "interpnet-1", "interpnet-2", "interpnet-3"):
        accuracies = []
        for seed in range(options.classifiers):
            keras.utils.set_random_seed(seed)
            hidden = classifiers.HIDDEN_LAYERS[variant]
            classifier = classifiers.mlp(train.inputs.shape[1], 3, hidden, dropout=0.5, seed=seed)
            train_classifier(classifier, train, valid, batch_size=64, seed=seed)
            for split in (valid, test):
                predicted = classifier.predict(split.inputs, batch_size=256, verbose=0).argmax(axis=-1)
                accuracies.append(100 * np.mean(predicted == split.labels))
        of_valid, of_test = accuracies[::2], accuracies[1::2]
        print(f"{variant}: validation {np.round(of_valid, 1)}, test {np.round(of_test, 1)}", flush=True)


if __name__ == "__main__":
    main()
