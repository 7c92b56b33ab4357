"""Evaluation of a trained model beside the yardsticks without which n-gram scores prove little."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from interpnet_tf import metrics
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import read_arrays
from interpnet_tf.introspection.finite import check_inputs, check_results
from interpnet_tf.introspection.number_column import may_be_missing
from interpnet_tf.introspection.probabilities import class_probabilities
from interpnet_tf.model import InterpNet
from interpnet_tf.runs.trained import Trained
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.json_files import json_safe

REFERENCE_COUNTS = (5, 10)


def evaluate(
    model: InterpNet,
    dataset: ExplanationDataset,
    training_sentences: list[list[str]],
    reference_counts: tuple[int, ...] = REFERENCE_COUNTS,
    name: str = "model",
    yardsticks: bool = True,
    **decoding: Any,
) -> dict[str, Any]:
    """Scores classification and explanations of a data set.

    Args:
        model: a trained `InterpNet`.
        dataset: examples, of which those with sentences are explained and all are classified.
        training_sentences: the sentences of each training example, for the yardsticks.
        reference_counts: against how many reference sentences to score, no more than an example has.
        name: of the model's row.
        yardsticks: whether to score, beside the model, what needs none.
        **decoding: how the words are chosen, as in `InterpNet.explain`.

    Returns:
        A dict of plain numbers: `accuracy` over all examples, `accuracy_explained` over those with sentences,
        `rows` (the model; the yardsticks: the most frequent training sentence said of every example, one
        human sentence against the others), each with the scores of `metrics.score` by number of references;
        `variety`; and `facts` where the data set knows the truth.
    """
    explained = dataset.explained()
    if not len(explained):
        raise ValueError(
            "no example of the split has a reference sentence; there is nothing to score against"
        )
    most = max(map(len, explained.explanations))
    reference_counts = tuple(dict.fromkeys(min(count, most) for count in reference_counts))
    explanations = model.explain(explained, **decoding)
    hypotheses = [explanation.text for explanation in explanations]
    rows = {name: (hypotheses, explained.explanations)}
    if yardsticks:
        rows |= _yardsticks(explained, training_sentences)
    predictions = np.array([explanation.class_id for explanation in explanations])
    result = {
        "examples": len(dataset),
        "explained": len(explained),
        "accuracy": float(np.mean(_predictions(model, dataset) == dataset.labels)),
        "accuracy_explained": float(np.mean(predictions == explained.labels)),
        "rows": {
            row: {str(k): scores for k, scores in metrics.score_columns(*pair, reference_counts).items()}
            for row, pair in rows.items()
        },
        "variety": metrics.variety(hypotheses, training_sentences),
    }
    if explained.facts is not None:
        from interpnet_tf.metrics.facts import score_facts

        result["facts"] = {row: score_facts(pair[0], explained.facts) for row, pair in rows.items()}
    return result


def evaluate_run(
    trained: Trained, split: str, mark: Mapping[str, str], decoding: Mapping[str, Any]
) -> dict[str, Any]:
    """Scores a trained model on a split of its data, and keeps the result in its run folder.

    Args:
        trained: the model and its data.
        split: such as `"test"`.
        mark: the option of the data set's `load` of that name, where it is given.
        decoding: how the words are chosen.

    Returns:
        What `evaluate` returns, and beside it what was measured.
    """
    training_sentences = trained.load("train").explanations
    dataset = trained.load(split, **mark)
    result = {"run": trained.path, "data": trained.config.data, "variant": trained.name}
    result |= {"split": split, "decoding": dict(decoding), **mark}
    result |= evaluate(trained.model, dataset, training_sentences, name=trained.name, **decoding)
    if trained.folder is not None:
        text = json.dumps(json_safe(result), indent=1)
        write_atomically(trained.folder / f"metrics-{split}.json", text + "\n")
    return result


def _yardsticks(
    explained: ExplanationDataset, training_sentences: list[list[str]]
) -> dict[str, tuple[list[str], list[list[str]]]]:
    constant = [metrics.most_frequent_sentence(training_sentences)] * len(explained)
    rows = {"constant sentence": (constant, explained.explanations)}
    if min(len(sentences) for sentences in explained.explanations) > 1:
        rows["one human of the others"] = metrics.human_row(explained.explanations)
    return rows


def _predictions(model: InterpNet, dataset: ExplanationDataset) -> np.ndarray:
    x = read_arrays(dataset, model.introspector.input)
    check_inputs(x, may_be_missing(model.introspector))
    scores = model.classifier.predict(x, verbose=0)
    probabilities = class_probabilities(model.classifier, scores, model.output_kind).numpy()
    check_results(model.classifier, np.isfinite(probabilities).all(axis=1))
    return probabilities.argmax(axis=-1)


def report(result: dict[str, Any]) -> str:
    """Formats what `evaluate` returned for reading.

    Args:
        result: of `evaluate`.

    Returns:
        Several lines of text; scores are multiplied by 100.
    """
    lines = [
        f"accuracy {100 * result['accuracy']:.1f} % of {result['examples']} examples, "
        f"{100 * result['accuracy_explained']:.1f} % of the {result['explained']} with sentences"
    ]
    for count in next(iter(result["rows"].values())):
        rows = {row: columns[count] for row, columns in result["rows"].items()}
        lines += ["", f"scores x 100, {count} references", metrics.format_table(rows, metrics.METRICS)]
    if "facts" in result:
        columns = list(next(iter(result["facts"].values())))
        lines += ["", "facts x 100", metrics.format_table(result["facts"], columns)]
    lines += ["", "variety: " + ", ".join(f"{key} {value:.4g}" for key, value in result["variety"].items())]
    return "\n".join(lines)
