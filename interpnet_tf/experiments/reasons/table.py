"""The table of `interpnet reasons`: who says the reason, and what carried the decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from interpnet_tf.attribution.reason_scores import ReasonScores
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.experiments.reasons.effects import Effects
from interpnet_tf.experiments.reasons.judging import (
    effect_of_first,
    effect_said,
    mean_effects_elsewhere,
    named_parts,
    names_reason,
    rank_correlation,
)
from interpnet_tf.experiments.reasons.phrases import score_phrases
from interpnet_tf.metrics.facts import attribute_precision
from interpnet_tf.metrics.score import score
from interpnet_tf.metrics.table import format_table
from interpnet_tf.model import InterpNet
from interpnet_tf.speakers.reasons import Reasons

Speaker = Callable[[InterpNet, ExplanationDataset, ExplanationDataset], list[str]]


def _greedy(model: InterpNet, dataset: ExplanationDataset, train: ExplanationDataset) -> list[str]:
    return [explanation.text for explanation in model.explain(dataset)]


def _beam(model: InterpNet, dataset: ExplanationDataset, train: ExplanationDataset) -> list[str]:
    return [explanation.text for explanation in model.explain(dataset, sampler="beam")]


def _reasons(model: InterpNet, dataset: ExplanationDataset, train: ExplanationDataset) -> list[str]:
    return [explanation.text for explanation in Reasons(model, train).explain(dataset, seed=0)]


def _one_human(model: InterpNet, dataset: ExplanationDataset, train: ExplanationDataset) -> list[str]:
    return [sentences[0] for sentences in dataset.explanations]


# The rows of the table: what each says of the pictures.
SPEAKERS: dict[str, Speaker] = {
    "greedy": _greedy,
    "beam": _beam,
    "reasons": _reasons,
    "one human": _one_human,
}
_SHARES = ("names_reason", "effect_said", "attribute_precision", "meteor", "cider_d")


def score_speakers(
    model: InterpNet,
    dataset: ExplanationDataset,
    effects: Effects,
    train: ExplanationDataset,
    speakers: dict[str, Speaker] = SPEAKERS,
    rank_phrases: bool = True,
) -> dict[str, Any]:
    """Scores what is said of the pictures by the effects that the parts have on the classifier's decisions.

    Args:
        model: a trained `InterpNet`.
        dataset: a split of sketchbirds.
        effects: of the model's classifier on the pictures of `dataset`.
        train: the examples that the model was trained on.
        speakers: for each row's name a function of the model, the data set and the training examples that
            returns one sentence a picture.
        rank_phrases: whether to measure how well the scores of single phrases rank the parts.

    Returns:
        A dict of plain numbers: `pictures`, how many there are; `counted`, how many have a reason to name;
        `rows`, for each speaker `names_reason`, `effect_said`, `attribute_precision`, `meteor`, `cider_d` and
        `words`, the mean length of a sentence, the n-gram scores against all but the first of each picture's
        sentences; `phrases`, for `ReasonScores` and for the yardstick that knows the true mean effects,
        `rank_correlation` and `effect_of_first`; and `parts`, for each part its mean `effect`, `flips`, the
        share of repaintings that change the class, and `named`, the share of each speaker's sentences that
        name it.

    Raises:
        ValueError: if the effects are not those of the data set.
    """
    if len(effects) != len(dataset):
        raise ValueError(
            f"effects must be those of the data set's {len(dataset)} pictures, got those of {len(effects)}; "
            "measure them with the arguments that the data set was loaded with"
        )
    said = {name: speak(model, dataset, train) for name, speak in speakers.items()}
    others = [sentences[1:] for sentences in dataset.explanations]  # than the one that stands for a person
    named = {name: named_parts(effects, sentences).mean(axis=0) for name, sentences in said.items()}
    return {
        "pictures": len(effects),
        "counted": int(effects.counted.sum()),
        "rows": {
            name: {
                "names_reason": names_reason(effects, sentences),
                "effect_said": effect_said(effects, sentences),
                "attribute_precision": attribute_precision(sentences, dataset.facts),
                **score(sentences, others, ("meteor", "cider_d")),
                "words": float(np.mean([len(sentence.split()) for sentence in sentences])),
            }
            for name, sentences in said.items()
        },
        "phrases": _rankings(ReasonScores(model, train), dataset, effects) if rank_phrases else {},
        "parts": {
            part: {
                "effect": _mean(effects.values[:, column]),
                "flips": _mean(effects.flips[:, column]),
                "named": {name: float(shares[column]) for name, shares in named.items()},
            }
            for column, part in enumerate(effects.parts)
        },
    }


def report(result: dict[str, Any]) -> str:
    """Formats what `score_speakers` returned for reading.

    Args:
        result: of `score_speakers`.

    Returns:
        Several lines of text; shares are multiplied by 100, and the parts of largest effect come first.
    """
    lengths = ", ".join(f"{name} {row['words']:.1f}" for name, row in result["rows"].items())
    parts = sorted(result["parts"].items(), key=lambda item: -np.nan_to_num(item[1]["effect"]))
    columns = ["effect", "flips", *result["rows"]]
    return "\n".join(
        [
            f"sentences x 100, of {result['counted']} pictures of {result['pictures']}, in which some part "
            "has an effect of at least 0.05",
            format_table(result["rows"], _SHARES),
            f"words a sentence: {lengths}",
            "",
            *_rankings_lines(result["phrases"]),
            "parts x 100: effect on the decision, flips of the class, sentences that name the part",
            format_table({name: {**part, **part["named"]} for name, part in parts}, columns),
        ]
    )


def _rankings(
    scores: ReasonScores, dataset: ExplanationDataset, effects: Effects
) -> dict[str, dict[str, float]]:
    ranked = {"reason scores": score_phrases(scores, dataset), "yardstick": mean_effects_elsewhere(effects)}
    return {
        name: {
            "rank_correlation": rank_correlation(effects, of_parts),
            "effect_of_first": effect_of_first(effects, of_parts),
        }
        for name, of_parts in ranked.items()
    }


def _rankings_lines(phrases: dict[str, dict[str, float]]) -> list[str]:
    if not phrases:
        return []
    return [
        "phrases x 100: Spearman correlation of their scores with the effects of the parts in a picture, and",
        "the relative effect of the part that is first",
        format_table(phrases, ("rank_correlation", "effect_of_first")),
        "",
    ]


def _mean(column: np.ndarray) -> float:
    return float(np.nanmean(column)) if not np.isnan(column).all() else float("nan")
