"""`score`: every metric of generated explanations in one call."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from interpnet_tf.metrics.bleu import bleu
from interpnet_tf.metrics.cider import cider, cider_d
from interpnet_tf.metrics.meteor import meteor, meteor_unavailable
from interpnet_tf.metrics.rouge import rouge_l
from interpnet_tf.metrics.tokenize import check_sentences

# What gives one number for all examples together.
_CORPUS_METRICS = {"cider": cider, "cider_d": cider_d, "rouge_l": rouge_l}
METRICS = ("meteor", "bleu_1", "bleu_2", "bleu_3", "bleu_4", *_CORPUS_METRICS)


def score(
    hypotheses: list[str], references: list[list[str]], metrics: Iterable[str] | None = None
) -> dict[str, float | None]:
    """Scores one sentence an example against the sentences people wrote of it.

    n-gram scores flatter sentences that fit everything: print them beside those of a constant sentence
    and of a person (`most_frequent_sentence`, `human_row`).

    Args:
        hypotheses: one sentence an example; an empty one scores 0.
        references: reference sentences of each example.
        metrics: which of `METRICS`; by default all.

    Returns:
        The metrics in their natural units: 0..1, CIDEr and CIDEr-D 0..10. `meteor` is `None`, with a
        warning, where Java or METEOR's jar is missing.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.

    Example:

    >>> score(["a black bird"], [["a black bird", "a crow"]], metrics=["bleu_1", "rouge_l"])
    {'bleu_1': 1.0, 'rouge_l': 1.0}
    """
    chosen = _chosen(metrics)
    check_sentences(hypotheses, references)
    scores: dict[str, float | None] = {}
    if "meteor" in chosen:
        scores["meteor"] = _meteor_or_none(hypotheses, references)
    if any(name.startswith("bleu_") for name in chosen):
        scores |= {f"bleu_{n}": value for n, value in enumerate(bleu(hypotheses, references), start=1)}
    for name, metric in _CORPUS_METRICS.items():
        if name in chosen:
            scores[name] = metric(hypotheses, references)
    return {name: scores[name] for name in METRICS if name in chosen}


def score_columns(
    hypotheses: list[str],
    references: list[list[str]],
    reference_counts: Iterable[int] = (5, 10),
    metrics: Iterable[str] | None = None,
) -> dict[int, dict[str, float | None]]:
    """Scores against the first k references of each example, for several k.

    More references give higher scores. GVE was scored with 5 and InterpNET with 10, so that neither
    compares with the other's column.

    Args:
        hypotheses: one sentence an example.
        references: reference sentences of each example; where there are fewer than k, all are used.
        reference_counts: the values of k.
        metrics: which of `METRICS`; by default all.

    Returns:
        What `score` returns, for each k.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.

    Example:

    >>> score_columns(["a crow"], [["a gull", "a crow"]], (1, 2), metrics=["bleu_1"])
    {1: {'bleu_1': 0.5}, 2: {'bleu_1': 1.0}}
    """
    counts, metrics = list(reference_counts), _chosen(metrics)
    check_sentences(hypotheses, references)
    for count in counts:
        if not isinstance(count, int) or count < 1:
            raise ValueError(f"reference_counts must be whole numbers of at least 1, got {count!r}")
    return {count: score(hypotheses, [r[:count] for r in references], metrics) for count in counts}


def _chosen(metrics: Iterable[str] | None) -> set[str]:
    chosen = set(METRICS if metrics is None else [metrics] if isinstance(metrics, str) else metrics)
    if not chosen or chosen - set(METRICS):
        got = ", ".join(sorted(map(str, chosen))) or "none"
        raise ValueError(f"metrics must be some of {', '.join(METRICS)}; got {got}")
    return chosen


def _meteor_or_none(hypotheses: list[str], references: list[list[str]]) -> float | None:
    reason = meteor_unavailable()
    if reason is None:
        return meteor(hypotheses, references)
    warnings.warn(f"METEOR is not computed: {reason}", stacklevel=3)
    return None
