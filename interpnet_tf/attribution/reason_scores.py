"""`ReasonScores`: how much of a decision rests on what a phrase says."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from interpnet_tf.attribution.concept_shifts import ConceptShifts
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import inputs_of
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.language.concepts import Concepts
from interpnet_tf.language.phrases import places_of
from interpnet_tf.language.text import canonical
from interpnet_tf.support.checks import check_whole

_MOST_EXAMPLES = 2400
_MOST_ALTERNATIVES = 8
_USUAL_EXAMPLES, _USUAL_WEIGHT = 300, 0.5
_STRONGEST, _COVERAGE = 3, 0.5


class ReasonScores:
    """Scores what phrases say of an example by how much the classifier's decision rests on it.

    No example is changed and nothing is known but the network, the training examples and their sentences,
    which must be English.
    Phrases that mean the same are one concept, see `Concepts`. A concept's direction in a layer is learnt
    from which training examples it is said of, and of which an alternative. Then the activation of an example
    is moved from the concept to each of its alternatives, near and far, and what lies behind the layer is
    computed:

        score(concept, x) = mean over alternatives, scales and layers of ½ · Σ_class |P'(class) - P(class)|
                            + ½ · the mean of that over training examples with the concept or an alternative

    The second term steadies the first: what a network rests on in general is most of what it rests on in one
    example. The layers are all vectors through which the decision passes, such as hidden layers.

    Args:
        model: a trained `InterpNet`.
        train: examples with sentences, several an example, such as it was trained on.
        penalty: of the regression, see `metrics.ridge`.
        minimum_count: sentences that state a phrase; rarer ones are not scored.
        batch_size: examples that the classifier reads at a time.
        seed: of the choice among more than 2400 training examples.

    Attributes:
        concepts: what the training sentences speak of.

    Raises:
        ValueError: if the sentences state no phrase often enough, or the classifier has no layer to move.

    Example:

    ```python
    scores = ReasonScores(model, train)
    print(scores.phrases(test.inputs[:1], [["this bird has a red crown and a short bill."]]))
    # [{'red crown': 0.31, 'short bill': 0.04}]
    ```

    References:
    - [Kim et al. 2018](https://arxiv.org/abs/1711.11279): directions of concepts in a layer
    - [Abid et al. 2022](https://arxiv.org/abs/2106.12723): moving an activation along them to another class
    """

    def __init__(
        self,
        model: ExplainingModel,
        train: ExplanationDataset,
        penalty: float = 0.02,
        minimum_count: int = 10,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        if not penalty > 0:
            raise ValueError(f"penalty must be above 0, got {penalty}")
        train = train.explained()
        self.concepts = concepts_of(train, minimum_count)
        self._batch_size = batch_size
        kept = _some(len(train), _MOST_EXAMPLES, seed)
        mentions = self.concepts.mentions[kept]
        inputs = train.subset(kept).inputs
        self._shifts = ConceptShifts(model, inputs, self.concepts.known(mentions), penalty, batch_size)
        self._usual = np.zeros(len(self.concepts), "float32")
        self._usual = self._usual_scores(
            train.subset(kept[:_USUAL_EXAMPLES]).inputs, mentions[:_USUAL_EXAMPLES]
        )

    def of_concepts(self, x: Any, concepts: Sequence[Iterable[int]]) -> list[dict[int, float]]:
        """Scores concepts, by their numbers in `concepts`.

        Args:
            x: examples, as of `InterpNet.explain`.
            concepts: of each example, those that are to be scored.

        Returns:
            For each example the score of each of its concepts, between 0 and 1.5.

        Raises:
            ValueError: if there are not concepts for each example.
        """
        asked = [tuple(dict.fromkeys(of_one)) for of_one in concepts]
        activations, probabilities = self._shifts.read(inputs_of(x), self._batch_size)
        if len(asked) != len(probabilities):
            raise ValueError(f"there are {len(probabilities)} examples and concepts for {len(asked)}")
        moves = [
            (row, concept, other)
            for row, of_one in enumerate(asked)
            for concept in of_one
            for other in self._alternatives(concept)
        ]
        rows, own, others = np.array(moves, int).reshape(-1, 3).T
        changes = self._shifts.changes(activations, probabilities, rows, own, others)
        sums: dict[tuple[int, int], list[float]] = {}
        for (row, concept, _), change in zip(moves, changes, strict=True):
            sums.setdefault((row, concept), []).append(float(change))
        return [
            {concept: float(np.mean(sums[row, concept]) + self._usual[concept]) for concept in of_one}
            for row, of_one in enumerate(asked)
        ]

    def phrases(self, x: Any, sentences: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """Scores the phrases of sentences.

        Args:
            x: examples, as of `InterpNet.explain`.
            sentences: of each example.

        Returns:
            For each example the score of each phrase, in its commonest words; none of phrases that are too
            rare in the training sentences.

        Raises:
            ValueError: if there are not sentences for each example.
        """
        read = [self._read(of_one) for of_one in sentences]
        names = self.concepts.names
        found = self.of_concepts(x, [itertools.chain(*of_one) for of_one in read])
        return [{names[concept]: score for concept, score in of_one.items()} for of_one in found]

    def words(self, x: Any, sentences: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Scores the words of sentences: each has the score of the phrase that it belongs to.

        Args:
            x: examples, as of `InterpNet.explain`.
            sentences: of each example, as its words, such as `Explanation.words`.

        Returns:
            For each example the score of each word, float32 `(words,)`: "red" and "crown" have that of "red
            crown", a word of no phrase has 0.

        Raises:
            ValueError: if there is not a sentence for each example.
        """
        words = [[canonical(word) for word in of_one] for of_one in sentences]
        stated = [self.concepts.reader.read(" ".join(of_one)) for of_one in words]
        concepts = [[*map(self.concepts.number_of, of_one)] for of_one in stated]
        found = self.of_concepts(x, [[one for one in of_one if one is not None] for of_one in concepts])
        scored = [np.zeros(len(of_one), "float32") for of_one in words]
        for of_words, text, phrases, numbers, scores in zip(
            scored, words, stated, concepts, found, strict=True
        ):
            for places, concept in zip(places_of(text, phrases), numbers, strict=True):
                of_words[places] = np.maximum(of_words[places], scores.get(concept, 0.0))
        return scored

    def relevance(self, x: Any, sentences: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Scores whole sentences by the phrases that they state.

        Each phrase counts as the square of its score, so that weak ones count little, relative to the
        strongest of all sentences of the example. The relevance is half the mean of the phrases of
        the sentence plus half the sum of its strongest three as a share of the sum of the strongest three of
        all sentences. So a sentence should state what carried the decision, little else, and nothing twice.

        Args:
            x: examples, as of `InterpNet.explain`.
            sentences: of each example, to be compared with each other.

        Returns:
            For each example the relevance of each sentence, at most 1, `(sentences,)`.

        Raises:
            ValueError: if there are not sentences for each example.
        """
        read = [self._read(of_one) for of_one in sentences]
        found = self.of_concepts(x, [itertools.chain(*of_one) for of_one in read])
        return [
            np.array([relevance(stated, strong) for stated in of_one], "float32")
            for of_one, strong in zip(read, map(strengths, found), strict=True)
        ]

    def _read(self, sentences: Sequence[str]) -> list[tuple[int, ...]]:
        if isinstance(sentences, str):
            raise ValueError(f"sentences must hold a list of sentences for each example, got {sentences!r}")
        return [self.concepts.read_all(sentence) for sentence in sentences]

    def _alternatives(self, concept: int) -> tuple[int, ...]:
        """Returns what a concept is exchanged for; none of all concepts where it has no alternative."""
        return self.concepts.alternatives[concept][:_MOST_ALTERNATIVES] or (len(self.concepts),)

    def _usual_scores(self, x: Any, mentions: np.ndarray) -> np.ndarray:
        found = self.of_concepts(x, [np.flatnonzero(of_one).tolist() for of_one in mentions])
        scores: list[list[float]] = [[] for _ in self.concepts.phrases]
        for of_one in found:
            for concept, score in of_one.items():
                scores[concept].append(score)
        usual = np.zeros(len(scores), "float32")
        for concept, others in enumerate(self.concepts.alternatives):
            near = [score for other in (concept, *others) for score in scores[other]]
            usual[concept] = _USUAL_WEIGHT * float(np.mean(near)) if near else 0.0
        return usual


def concepts_of(train: ExplanationDataset, minimum_count: int = 10) -> Concepts:
    """Returns what the sentences of training examples speak of.

    Args:
        train, minimum_count: see `ReasonScores`.

    Raises:
        ValueError: if they state no phrase often enough.
    """
    check_whole("minimum_count", minimum_count, 1)
    concepts = Concepts.learn(train.explanations, minimum_count)
    if not len(concepts):
        raise ValueError(
            f"no phrase, such as 'red crown', is in {minimum_count} sentences of train, which has "
            f"{sum(map(len, train.explanations))}; give more, or lower minimum_count"
        )
    return concepts


def strengths(scores: dict[int, float]) -> dict[int, float]:
    """Returns how much each concept of an example counts: its score as a share of the largest, squared."""
    largest = max(scores.values(), default=0.0) or 1.0
    return {concept: (score / largest) ** 2 for concept, score in scores.items()}


def relevance(stated: Iterable[int], strong: dict[int, float]) -> float:
    """Returns how relevant a sentence is, see `ReasonScores.relevance`.

    Args:
        stated: the concepts of the sentence. Those without a strength count 0, and what is said again counts
            as much against it as the strongest for it.
        strong: the `strengths` of all concepts of the example; one below 0 counts against the sentence.
    """
    most = sum(sorted(max(one, 0.0) for one in strong.values())[-_STRONGEST:]) or 1.0
    stated = list(stated)
    parts = [strong.get(concept, 0.0) for concept in dict.fromkeys(stated)]
    parts = sorted(parts + [-1.0] * (len(stated) - len(parts))) or [0.0]
    return (1 - _COVERAGE) * float(np.mean(parts)) + _COVERAGE * sum(parts[-_STRONGEST:]) / most


def _some(examples: int, most: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(examples)[:most]
