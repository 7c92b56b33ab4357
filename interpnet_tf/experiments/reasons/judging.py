"""How near what is said of decisions, or any scores of parts, come to what truly carried them.

Every score is over the pictures that have a reason to name, see `Effects.counted`; NaN where none has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from interpnet_tf.data.sketchbirds import parse_facts
from interpnet_tf.experiments.reasons.effects import Effects
from interpnet_tf.metrics.ranks import average_ranks

STRONG = 0.5


def named_parts(effects: Effects, sentences: Sequence[str]) -> np.ndarray:
    """Says which parts each sentence names, with a true value or a false one.

    Args:
        effects: of the pictures.
        sentences: one a picture.

    Returns:
        Bool `(pictures, parts)`.

    Raises:
        ValueError: if there is not one sentence a picture.
    """
    if isinstance(sentences, str) or len(sentences) != len(effects):
        raise ValueError(
            f"sentences must be a list of one sentence for each of the {len(effects)} pictures, got "
            f"{repr(sentences) if isinstance(sentences, str) else len(sentences)}"
        )
    said = [dict(parse_facts(sentence)) for sentence in sentences]
    return np.array([[part in facts for part in effects.parts] for facts in said])


def names_reason(effects: Effects, sentences: Sequence[str]) -> float:
    """Share of the sentences that name a part with at least half of the largest effect in their picture.

    A long sentence that names every part scores 1: read it beside `effect_said`.

    Args:
        effects: of the pictures.
        sentences: one a picture.

    Returns:
        A share between 0 and 1.

    Raises:
        ValueError: if there is not one sentence a picture.
    """
    named = named_parts(effects, sentences)
    return _mean((named & (_relative(effects) >= STRONG)).any(axis=1)[effects.counted])


def effect_said(effects: Effects, sentences: Sequence[str]) -> float:
    """Mean effect of the parts that a sentence names, as a share of the largest effect in its picture.

    The mean is over the parts of a sentence first and then over the sentences. A part that the picture does
    not show has no effect; a sentence that names no part scores 0.

    Args:
        effects: of the pictures.
        sentences: one a picture.

    Returns:
        A share between 0 and 1.

    Raises:
        ValueError: if there is not one sentence a picture.
    """
    named = named_parts(effects, sentences)
    said = (named * _relative(effects)).sum(axis=1) / np.maximum(named.sum(axis=1), 1)
    return _mean(said[effects.counted])


def rank_correlation(effects: Effects, scores: np.ndarray) -> float:
    """Mean over pictures of Spearman's correlation between scores of the visible parts and their effects.

    Args:
        effects: of the pictures.
        scores: of the parts, `(pictures, parts)`; what they give to parts that are not visible is not read.
            Those of a picture that are all equal rank nothing, and count as a correlation of 0.

    Returns:
        A correlation between -1 and 1.

    Raises:
        ValueError: if `scores` has another shape, or a visible part has none.
    """
    scores = _checked(effects, scores)
    correlations = []
    for row in np.flatnonzero(effects.counted):
        visible = ~np.isnan(effects.values[row])
        ranks = [average_ranks(numbers[row][visible]) for numbers in (scores, effects.values)]
        centred = [rank - rank.mean() for rank in ranks]
        norm = math.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
        correlations.append((centred[0] * centred[1]).sum() / norm if norm else 0.0)
    return _mean(correlations)


def effect_of_first(effects: Effects, scores: np.ndarray, count: int = 1) -> float:
    """Mean effect of the `count` parts with the highest scores, as a share of the largest in their picture.

    Args:
        effects: of the pictures.
        scores: of the parts, `(pictures, parts)`, as of `rank_correlation`.
        count: of parts.

    Returns:
        A share between 0 and 1.

    Raises:
        ValueError: as of `rank_correlation`.
    """
    return _mean(_first(effects, scores, count)[effects.counted])


def reason_among_first(effects: Effects, scores: np.ndarray, count: int = 1) -> float:
    """Share of the pictures in which one of the `count` parts with the highest scores is a reason.

    A reason is a part with at least half of the largest effect, as of `names_reason`.

    Args:
        effects: of the pictures.
        scores: of the parts, `(pictures, parts)`, as of `rank_correlation`.
        count: of parts.

    Returns:
        A share between 0 and 1.

    Raises:
        ValueError: as of `rank_correlation`.
    """
    return _mean((_first(effects, scores, count) >= STRONG).any(axis=1)[effects.counted])


def mean_effects_elsewhere(effects: Effects) -> np.ndarray:
    """Scores each part by its mean effect in all other pictures that show it: the yardstick of rankings.

    It knows the truth about the network and nothing about the picture.

    Args:
        effects: of two or more pictures.

    Returns:
        Scores `(pictures, parts)`; NaN where a part is not visible.
    """
    values = effects.values
    others = np.maximum((~np.isnan(values)).sum(axis=0) - 1, 1)
    return (np.nansum(values, axis=0) - values) / others


def _first(effects: Effects, scores: np.ndarray, count: int) -> np.ndarray:
    """Returns the relative effects of the visible parts with the highest scores, `(pictures, count)`."""
    scores = np.where(np.isnan(effects.values), -np.inf, _checked(effects, scores))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(_relative(effects), order, axis=1)


def _checked(effects: Effects, scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores, "float64")
    if scores.shape != effects.values.shape:
        raise ValueError(
            f"scores must be (pictures, parts), {effects.values.shape} here, got {scores.shape}; give one "
            "for each of effects.parts"
        )
    if np.isnan(scores[~np.isnan(effects.values)]).any():
        raise ValueError("scores must hold a number for every part that a picture shows, got NaN")
    return scores


def _relative(effects: Effects) -> np.ndarray:
    return np.nan_to_num(effects.relative)


def _mean(numbers: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(numbers)) if len(numbers) else math.nan
