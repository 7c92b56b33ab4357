"""`Reasons`: a speaker that says what carried the decision."""

from __future__ import annotations

import collections
import math
from typing import Any

import numpy as np

from interpnet_tf.attribution.reason_scores import ReasonScores
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import inputs_of
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.model import InterpNet
from interpnet_tf.speakers.candidates import distinct, ranked


class Reasons:
    """Says of each example what is true of it and carried the classifier's decision.

    A decoder says what people say of such examples, which need not be what the network decided by. This
    speaker takes many sentences of the decoder, those of a beam search and draws, and chooses by

        log-probability a word + relevance_weight · relevance + belief_weight · log belief

    The relevance of a sentence is how much of the decision rests on what it states, see
    `ReasonScores.relevance`. The belief is how sure the decoder is of the phrase that it is least sure of:
    the share of its sentences about the same thing that say the same, and not an alternative to it.
    Phrases are read of English sentences, see `language.phrases`.

    Args:
        model: a trained `InterpNet`.
        train: the examples it was trained on, with several sentences each.
        relevance_weight: 0 says what is probable and believed.
        belief_weight: 0 lets it say what the decoder doubts.
        **options: further ones of `ReasonScores`.

    Attributes:
        model: the `InterpNet`.
        scores: the `ReasonScores`.

    Raises:
        ValueError: if a weight is below 0, or as of `ReasonScores`.

    Example:

    ```python
    speaker = Reasons(model, train)
    for explanation in speaker.explain(test.inputs, seed=0):
        print(explanation)
    ```
    """

    def __init__(
        self,
        model: InterpNet,
        train: ExplanationDataset,
        relevance_weight: float = 6.0,
        belief_weight: float = 0.5,
        **options: Any,
    ) -> None:
        for name, weight in (("relevance_weight", relevance_weight), ("belief_weight", belief_weight)):
            if not weight >= 0:
                raise ValueError(f"{name} must be at least 0, got {weight}")
        self.model = model
        self.relevance_weight, self.belief_weight = relevance_weight, belief_weight
        self.scores = ReasonScores(model, train, **options)

    def explain(
        self,
        x: Any,
        samples: int = 60,
        beams: int = 10,
        seed: int | None = None,
        batch_size: int = 64,
        **options: Any,
    ) -> list[Explanation]:
        """Classifies examples and says why.

        Args:
            x: as in `InterpNet.explain`.
            samples: draws of each example among the candidates.
            beams: sentences of the beam search among the candidates.
            seed: of the draws; `None` draws anew at each call.
            batch_size: examples at a time.
            **options: further ones of `InterpNet.explain`, such as `forbidden`.

        Returns:
            An `Explanation` for each example, with the other candidates as alternatives, the better first.

        Raises:
            ValueError: if an option is out of its range.
        """
        x, options["batch_size"] = inputs_of(x), batch_size
        found = self.model.explain(x, "beam", beams=beams, n_best=beams, **options)
        drawn = self.model.explain(x, "top_p", n_best=samples, seed=seed, p=1.0, **options)
        pairs = list(zip(found, drawn, strict=True))
        said = [[one.text for best in pair for one in (best, *best.alternatives)] for pair in pairs]
        candidates = [_with_words(distinct(*pair)) for pair in pairs]
        relevance = self.scores.relevance(x, [[one.text for one in of_one] for of_one in candidates])
        return [
            ranked(of_one, self._values(of_one, texts, relevant))
            for of_one, texts, relevant in zip(candidates, said, relevance, strict=True)
        ]

    def _values(self, candidates: list[Explanation], said: list[str], relevance: np.ndarray) -> np.ndarray:
        probable = [math.fsum(one.log_probabilities) / max(len(one.words), 1) for one in candidates]
        believed = self._beliefs([one.text for one in candidates], said)
        return np.array(probable) + self.relevance_weight * relevance + self.belief_weight * np.log(believed)

    def _beliefs(self, candidates: list[str], said: list[str]) -> list[float]:
        """Returns the belief in the least believed phrase of each candidate; small without phrases."""
        concepts = self.scores.concepts
        votes = collections.Counter(concept for sentence in said for concept in concepts.read(sentence))

        def belief(concept: int) -> float:
            against = sum(votes[other] for other in concepts.alternatives[concept])
            return (votes[concept] + 0.5) / (votes[concept] + against + 1)

        return [min(map(belief, concepts.read(sentence)), default=0.01) for sentence in candidates]


def _with_words(candidates: list[Explanation]) -> list[Explanation]:
    """Returns the candidates that say anything, or all where none does."""
    return [one for one in candidates if one.words] or candidates
