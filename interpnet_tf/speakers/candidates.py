"""Sentences that may be said of an example, and the record of the one that is chosen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.generation.scoring import ids_of_words, log_probabilities
from interpnet_tf.model import InterpNet

_ROWS = 512  # sentences that are scored together


def distinct(*explanations: Explanation) -> list[Explanation]:
    """Returns all sentences of records of one example, alternatives included, each once, first seen first."""
    found: dict[tuple[str, ...], Explanation] = {}
    for explanation in explanations:
        for sentence in (explanation, *explanation.alternatives):
            found.setdefault(sentence.words, dataclasses.replace(sentence, alternatives=()))
    return list(found.values())


def ranked(candidates: Sequence[Explanation], values: Sequence[float]) -> Explanation:
    """Returns the candidate of the highest value, with the others as its alternatives in falling order."""
    best, *others = (candidates[index] for index in np.argsort(-np.asarray(values), kind="stable"))
    return dataclasses.replace(best, alternatives=tuple(others))


def scored_by(
    model: InterpNet,
    r: np.ndarray,
    candidates: Sequence[Sequence[Explanation]],
    max_length: int,
    length_penalty: float = 0.7,
) -> list[list[Explanation]]:
    """Returns candidates with the log-probabilities and scores that a model gives them.

    Args:
        model: the model, whose tokenizer made the words.
        r: of each example, as `model.introspect` gives it, `(examples, width)`.
        candidates: sentences of each example, such as another decoder said.
        max_length: the most ids a sentence had; the end of a shorter one counts.
        length_penalty: see `generation.Decoding`.
    """
    flat = [sentence for of_one in candidates for sentence in of_one]
    owners = np.repeat(np.arange(len(candidates)), [len(of_one) for of_one in candidates])
    end, ids = model.tokenizer.end_id, ids_of_words(model.tokenizer, [one.words for one in flat])
    ids = [[*of_one, end][:max_length] for of_one in ids]
    result: list[list[Explanation]] = [[] for _ in candidates]
    rows = log_probabilities(model, r[owners], ids, _ROWS)
    for owner, sentence, of_ids in zip(owners, flat, rows, strict=True):
        record = dataclasses.replace(
            sentence,
            log_probabilities=tuple(map(float, of_ids[: len(sentence.words)])),
            score=math.fsum(of_ids) / ((5 + len(of_ids)) / 6) ** length_penalty,
        )
        result[owner].append(record)
    return result
