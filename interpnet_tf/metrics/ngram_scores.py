"""N-gram scores of a row of a table, METEOR run once for all that is asked of it."""

from __future__ import annotations

import warnings

import numpy as np

from interpnet_tf.metrics.meteor import meteor_sentences, meteor_unavailable
from interpnet_tf.metrics.score import METRICS, score_columns


class NgramScores:
    """Scores sentences against different numbers of references.

    Args:
        reference_counts: against how many references.
        metrics: which of `METRICS`.
    """

    def __init__(self, reference_counts: tuple[int, ...], metrics: tuple[str, ...]) -> None:
        self.reference_counts, self.metrics = reference_counts, metrics
        self._meteor_of: dict[tuple, dict[int, np.ndarray]] = {}

    def columns(self, hypotheses: list[str], references: list[list[str]]) -> dict[str, float | None]:
        """Returns each score by metric and number of references, such as `bleu_4_10`.

        Args:
            hypotheses: a sentence an example.
            references: those of each example.

        Returns:
            Plain numbers in their natural units; METEOR is `None` where it cannot run.
        """
        others = [metric for metric in self.metrics if metric != "meteor"]
        scores = {count: {} for count in self.reference_counts}
        if others:
            scores = score_columns(hypotheses, references, self.reference_counts, others)
        if "meteor" in self.metrics:
            for count, values in self.meteor(hypotheses, references).items():
                scores[count]["meteor"] = None if values is None else float(values.mean())
        return {
            f"{metric}_{count}": scores[count][metric]
            for count in sorted(scores, reverse=True)
            for metric in METRICS
            if metric in self.metrics
        }

    def meteor(
        self, hypotheses: list[str], references: list[list[str]]
    ) -> dict[int, np.ndarray] | dict[int, None]:
        """Returns METEOR of every example for each number of references, `None` where it cannot run.

        Args:
            hypotheses, references: see `columns`.
        """
        reason = meteor_unavailable()
        if reason is not None:
            warnings.warn(f"METEOR is not computed: {reason}", stacklevel=4)
            return dict.fromkeys(self.reference_counts)
        key = (tuple(hypotheses), tuple(map(tuple, references)))
        if key not in self._meteor_of:
            # One call for all: starting METEOR takes as long as scoring a thousand sentences.
            counts = self.reference_counts
            scores = meteor_sentences(
                hypotheses * len(counts), [sentences[:k] for k in counts for sentences in references]
            )
            self._meteor_of[key] = dict(zip(counts, np.reshape(scores, (len(counts), -1)), strict=True))
        return self._meteor_of[key]
