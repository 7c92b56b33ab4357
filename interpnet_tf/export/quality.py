"""What a conversion cost: the converted model's answers beside the Keras model's."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from interpnet_tf import metrics


def compare(
    texts: Sequence[str],
    class_ids: Sequence[int],
    converted_texts: Sequence[str],
    converted_class_ids: Sequence[int],
    references: Sequence[Sequence[str]] | None = None,
    labels: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Compares what two models say of the same held-out examples.

    Args:
        texts: sentences of the Keras model.
        class_ids: its classes.
        converted_texts: sentences of the converted model.
        converted_class_ids: its classes.
        references: sentences that people wrote of each example; examples without one count for the share of
            identical sentences only.
        labels: the true classes.

    Returns:
        A dict of plain numbers: `examples`, `identical_sentences` and `identical_classes`, shares in 0..1;
        with references `cider_d`, with labels `accuracy`: dicts of `keras`, `converted` and `change`, CIDEr-D
        in 0..10, accuracy in 0..1.

    Example:

    >>> quality = compare(["a gull."], [1], ["a crow."], [1], labels=[1])
    >>> quality["identical_sentences"], quality["identical_classes"], quality["accuracy"]["change"]
    (0.0, 1.0, 0.0)
    """
    result: dict[str, Any] = {
        "examples": len(texts),
        "identical_sentences": float(np.mean([a == b for a, b in zip(texts, converted_texts, strict=True)])),
        "identical_classes": float(np.mean(np.equal(class_ids, converted_class_ids))),
    }
    if references is not None:
        rows = [row for row, sentences in enumerate(references) if len(sentences)]
        chosen = [list(references[row]) for row in rows]
        scores = [metrics.cider_d([said[row] for row in rows], chosen) for said in (texts, converted_texts)]
        result["cider_d"] = _change(*scores)
    if labels is not None:
        result["accuracy"] = _change(
            *(float(np.mean(np.equal(ids, labels))) for ids in (class_ids, converted_class_ids))
        )
    return result


def warn_if_poor(quality: dict[str, Any], least_identical: float, most_lost: float) -> None:
    """Warns where a conversion changed too much.

    Args:
        quality: what `compare` returned.
        least_identical: the smallest share of identical sentences that is good enough, 0..1.
        most_lost: the largest fall of 100 times CIDEr-D and of accuracy in per cent that is good enough.
    """
    found = []
    identical = quality["identical_sentences"]
    if identical < least_identical:
        found.append(f"{identical:.1%} of the sentences are the same ({least_identical:.0%} wanted)")
    for name in ("cider_d", "accuracy"):
        change = 100 * quality.get(name, {}).get("change", 0.0)
        if change < -most_lost:
            found.append(f"{name} x 100 changed by {change:.2f} (at most -{most_lost:g} wanted)")
    if found:
        warnings.warn(
            f"the converted model differs from the Keras model: {'; '.join(found)}. "
            "quantize='float16' or None is closer",
            stacklevel=3,
        )


def _change(before: float, after: float) -> dict[str, float]:
    return {"keras": before, "converted": after, "change": after - before}
