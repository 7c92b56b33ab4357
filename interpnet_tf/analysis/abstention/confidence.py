"""`Confidence`: the probability that a sentence is true, and silence where it is too low."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from interpnet_tf.analysis.abstention.criteria import Criterion, FactsTrue
from interpnet_tf.analysis.abstention.curves import calibration, risk_coverage
from interpnet_tf.analysis.abstention.logistic import LogisticRegression
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import inputs_of
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.errors import reading
from interpnet_tf.support.json_files import read_record

Scores = Callable[[Any, Sequence[Explanation]], np.ndarray]
# Of a word that was all but impossible, and of a class: beyond it one is as sure as can be.
_LEAST_LOG_PROBABILITY, _LEAST_PROBABILITY = -20.0, 1e-6
_NUMBERS = 4


class ExplainsExamples(Protocol):
    """An `InterpNet`, or a speaker."""

    def explain(self, x: Any, **options: Any) -> list[Explanation]:
        """Returns an `Explanation` for each example."""
        ...


class Confidence:
    """Knows how probably what a network says is true, and lets it say nothing where that is too low.

    A logistic regression, learnt on validation examples, reads four numbers of an explanation: the sum of the
    words' log-probabilities, the least of them, the number of words, and the log-odds of the class; and a
    score of your own, if there is one.

    Args:
        explainer: a trained `InterpNet`, or a speaker.
        criterion: what true means, see `FactsTrue`, `PhrasesTrue` and `TellsClass`; `None` is `FactsTrue`.
        scores: a function of `x` and its explanations that gives a number for each, `(examples,)`, such as a
            reason score; `None` for none.
        **options: of `explain`, such as `sampler="beam"`. What is learnt of greedy sentences does not hold
            for others, so that these options stay.

    Attributes:
        meaning: what true means, in words.
        regression: what `fit` has learnt; `None` before.

    Raises:
        ValueError: if the options ask for alternatives, which have no confidence.

    Example:

    ```python
    confidence = analysis.Confidence(model).fit(sketchbirds.load("validation"))
    for explanation in confidence.explain(images, confidence=0.9):
        print(explanation)  # where no sentence is true with a probability of 0.9: none
    ```
    """

    def __init__(
        self,
        explainer: ExplainsExamples,
        criterion: Criterion | None = None,
        scores: Scores | None = None,
        **options: Any,
    ) -> None:
        if options.get("n_best", 1) != 1:
            raise ValueError("n_best must be 1: a confidence is that of the one sentence that is said")
        self.explainer, self.scores, self.options = explainer, scores, options
        self.criterion = FactsTrue() if criterion is None else criterion
        self.meaning = self.criterion.description
        self.regression: LogisticRegression | None = None

    def fit(self, dataset: ExplanationDataset) -> Confidence:
        """Learns from what the network says of examples that it was not trained on.

        Args:
            dataset: such as the validation data.

        Returns:
            Itself.

        Raises:
            ValueError: if there is no example, or the criterion does not fit the data.
        """
        explanations, true = self._judged(dataset)
        self.regression = LogisticRegression.fit(self._features(dataset, explanations), true)
        return self

    def predict(self, x: Any, explanations: Sequence[Explanation]) -> np.ndarray:
        """Returns the probability that explanations are true, float64 `(examples,)`.

        Args:
            x: the examples; what needs no `scores` does not read them.
            explanations: what was said of each.

        Raises:
            ValueError: if `fit` was not called before.
        """
        if self.regression is None:
            raise ValueError("nothing is known of confidences yet; call fit(validation) first")
        return self.regression.predict(self._features(x, explanations))

    def explain(self, x: Any, confidence: float = 0.9) -> list[Explanation]:
        """Classifies examples and says why, where that is true with a sufficient probability.

        Args:
            x: as in `InterpNet.explain`.
            confidence: the probability, from 0, with which everything is said, to 1.

        Returns:
            An `Explanation` for each example, with its `confidence`. Where that is too low, `text` is empty
            and `withheld` is true; the class stands there all the same.

        Raises:
            ValueError: if `confidence` is no probability, or `fit` was not called before.
        """
        if not 0 <= confidence <= 1:
            raise ValueError(f"confidence must be a probability between 0 and 1, got {confidence}")
        x = x if self.scores is None else inputs_of(x)
        explanations = self.explainer.explain(x, **self.options)
        found = self.predict(x, explanations).tolist() if explanations else []
        nothing = {"text": "", "words": (), "log_probabilities": (), "score": 0.0}
        return [
            dataclasses.replace(one, confidence=probability, **({} if probability >= confidence else nothing))
            for one, probability in zip(explanations, found, strict=True)
        ]

    def evaluate(self, dataset: ExplanationDataset, confidence: float = 0.9) -> dict[str, float]:
        """Tells how far confidences can be trusted, on examples that `fit` has not seen.

        Args:
            dataset: such as the test data.
            confidence: at which what is said and left unsaid is counted.

        Returns:
            `true`, the share of all sentences that is true; `said`, the share of the examples of which a
            sentence is said at this confidence, and `true_said`, the share of these sentences that is true;
            `calibration_error`, see `calibration`; and `risk_coverage_area`, see `risk_coverage`, which is
            1 - `true` if the confidences tell nothing.
        """
        explanations, true = self._judged(dataset)
        found = self.predict(dataset, explanations)
        said = found >= confidence
        return {
            "true": float(true.mean()),
            "said": float(said.mean()),
            "true_said": float(true[said].mean()) if said.any() else float("nan"),
            "calibration_error": calibration(found, true).error,
            "risk_coverage_area": risk_coverage(found, true).area,
        }

    def save(self, path: str | os.PathLike) -> None:
        """Writes what was learnt to a JSON file, which appears complete or not at all.

        Raises:
            ValueError: if `fit` was not called before.
        """
        if self.regression is None:
            raise ValueError("nothing is known of confidences yet; call fit(validation) first")
        record = {
            "true": self.meaning,
            "options": self.options,
            "regression": dataclasses.asdict(self.regression),
        }
        write_atomically(path, json.dumps(record, indent=1) + "\n")

    @classmethod
    def load(
        cls,
        path: str | os.PathLike,
        explainer: ExplainsExamples,
        criterion: Criterion | None = None,
        scores: Scores | None = None,
    ) -> Confidence:
        """Reads what `save` wrote.

        Args:
            path: of the file.
            explainer: the same as when it was learnt.
            criterion: the same; `explain` and `predict` do without.
            scores: the same, if there were any.

        Raises:
            FileNotFoundError: if there is no such file.
            UnreadableFileError: if it holds something else.
            ValueError: if it was learnt with scores and there are none now, or the other way round.
        """
        kind, advice = "what a Confidence has learnt", "learn it anew with fit, and save it"
        record = read_record(path, kind, advice)
        with reading(path, kind, advice):
            found = cls(explainer, criterion, scores, **record["options"])
            found.regression = LogisticRegression(**record["regression"])
            numbers, meaning = len(found.regression.weights), str(record["true"])
        if numbers != _NUMBERS + (scores is not None):
            raise ValueError(f"scores: {path} was learnt {'without' if scores else 'with'} them; do the same")
        found.meaning = meaning
        return found

    def _judged(self, dataset: ExplanationDataset) -> tuple[list[Explanation], np.ndarray]:
        if not len(dataset):
            raise ValueError("dataset has no example to learn from, or to be measured on")
        explanations = self.explainer.explain(dataset, **self.options)
        return explanations, self.criterion([one.text for one in explanations], dataset)

    def _features(self, x: Any, explanations: Sequence[Explanation]) -> np.ndarray:
        columns = [np.array([_of_explanation(one) for one in explanations])]
        if self.scores is not None:
            scores = np.asarray(self.scores(x, explanations), "float64")
            if scores.shape != (len(explanations),) or not np.isfinite(scores).all():
                raise ValueError(
                    f"scores must give a finite number for each of {len(explanations)} explanations, got "
                    f"{scores.shape}"
                )
            columns.append(scores[:, None])
        return np.concatenate(columns, axis=1)


def _of_explanation(explanation: Explanation) -> list[float]:
    """Returns the four numbers that a confidence rests on."""
    of_words = np.maximum(explanation.log_probabilities, _LEAST_LOG_PROBABILITY)
    probability = min(max(explanation.probability, _LEAST_PROBABILITY), 1 - _LEAST_PROBABILITY)
    odds = np.log(probability) - np.log1p(-probability)
    return [of_words.sum(), of_words.min(initial=0), len(of_words), odds]
