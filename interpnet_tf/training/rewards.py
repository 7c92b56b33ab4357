"""Rewards: what makes a sentence that a model says of an example worth saying again.

A reward has one method, `bind(dataset)`, which returns a function `(ids, rows) -> values`: int ids
`(sentences, words)` without the start id and the int rows of the examples in the data set `(sentences,)` in,
float32 `(sentences,)` out. `policy_gradient.train_policy` raises its mean.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.attribution.reason_scores import ReasonScores, relevance, strengths
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.language.tokenizer import ExplanationTokenizer
from interpnet_tf.metrics.tokenize import ngrams, words
from interpnet_tf.support.checks import check_number

BoundReward = Callable[[np.ndarray, np.ndarray], np.ndarray]
_ORDERS = (1, 2, 3, 4)
_SIGMA = 6.0


class Reward(Protocol):
    """What `policy_gradient.train_policy` takes."""

    def bind(self, dataset: ExplanationDataset) -> BoundReward:
        """Returns the reward of sentences said of the examples of a data set."""


class ClassProbability:
    """The probability that a sentence classifier gives to the true class of the example.

    Args:
        classifier: a trained `sentence_models.sentence_classifier`.
        words: how many words of a sentence it reads; `None` reads all. Where it reads all, it is surer of a
            longer sentence, so that sentences grow; where it reads the first ones only, the class is to be
            told by them, and what is said after them gains nothing.

    Raises:
        ValueError: if `words` is below 1.

    References:
    - [Hendricks et al. 2016, section 3.2](https://arxiv.org/abs/1603.08507), the discriminative loss
    """

    def __init__(self, classifier: keras.Model, words: int | None = None) -> None:
        if words is not None and words < 1:
            raise ValueError(f"words must be at least 1, or None for all, got {words}")
        self.words = words
        self._read = tf.function(
            lambda ids: classifier(ids, training=False), reduce_retracing=True, autograph=False
        )

    def bind(self, dataset: ExplanationDataset) -> BoundReward:
        def reward(ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
            probabilities = self._read(tf.convert_to_tensor(ids[:, : self.words], tf.int32)).numpy()
            return probabilities[np.arange(len(rows)), dataset.labels[rows]]

        return reward


class CiderD:
    """CIDEr-D of a sentence against the reference sentences of the example, as `metrics.cider_d` has it.

    The document frequencies are those of a fixed corpus: a value does not depend on what else is said.

    Args:
        tokenizer: knows the words of the ids.
        documents: the reference sentences of each example of the corpus, such as the training data's
            `explanations`; examples without sentences do not count.

    Example:

    >>> tokenizer = ExplanationTokenizer().adapt(["a black crow", "a white gull"])
    >>> birds = ExplanationDataset(np.zeros((2, 1)), [0, 1], ["crow", "gull"],
    ...                            [["a black crow"], ["a white gull"]], ["1", "2"])
    >>> reward = CiderD(tokenizer, birds.explanations).bind(birds)
    >>> reward(tokenizer.tokenize(["a black crow", "a black crow"]).numpy(), np.array([0, 1])).round(3)
    array([7.5, 0. ], dtype=float32)

    References:
    - [Vedantam et al. 2015, section 6](https://arxiv.org/abs/1411.5726)
    - [Rennie et al. 2017](https://arxiv.org/abs/1612.00563), self-critical training on it
    """

    def __init__(self, tokenizer: ExplanationTokenizer, documents: list[list[str]]) -> None:
        self.tokenizer = tokenizer
        documents = [sentences for sentences in documents if sentences]
        if not documents:
            raise ValueError("documents must hold at least one example with a sentence, got none")
        self._log_documents = math.log(len(documents))
        self._frequency = Counter(
            ngram
            for sentences in documents
            for ngram in {ngram for sentence in sentences for ngram in _ngrams(words(sentence))}
        )

    def bind(self, dataset: ExplanationDataset) -> BoundReward:
        references: dict[int, _References] = {}

        def reward(ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
            values = []
            for text, row in zip(self.tokenizer.detokenize(ids), rows.tolist(), strict=True):
                if row not in references:
                    references[row] = _References(self, dataset.explanations[row])
                values.append(references[row].score(text))
            return np.array(values, "float32")

        return reward

    def weights(self, tokens: tuple[str, ...]) -> tuple[dict[tuple[str, ...], float], list[float]]:
        """Returns the tf-idf weight of each n-gram of a sentence, and their norm for each n."""
        weights, squares = {}, [0.0] * len(_ORDERS)
        for ngram, count in Counter(_ngrams(tokens)).items():
            frequency = self._frequency.get(ngram, 1)
            weights[ngram] = weight = count * (self._log_documents - math.log(frequency))
            squares[len(ngram) - 1] += weight * weight
        return weights, [math.sqrt(square) for square in squares]


class DecisionRelevance:
    """How much of the classifier's decision rests on what a sentence says of the example.

    A phrase counts as the square of its reason score, relative to the strongest of those that the reference
    sentences of the example state. One that they do not state counts nothing, and one that is exchanged for
    what they state, as "blue crown" where they say "red crown", counts as much against the sentence as the
    strongest counts for it. The value is half the mean of the phrases of the sentence and half the sum of its
    strongest three, as a share of the strongest three of all references, see `ReasonScores.relevance`.

    Trained for, it makes the decoder itself say what carried the decision: in greedy search, and in what is
    exported. It does not know how people speak, so add `CiderD` or weigh the likelihood.

    Args:
        tokenizer: knows the words of the ids.
        scores: of the model that is trained, whose classifier does not change.

    Example:

    ```python
    scores = analysis.ReasonScores(model, train)
    relevance = rewards.DecisionRelevance(model.tokenizer, scores)
    fluent = rewards.CiderD(model.tokenizer, train.explanations)
    train_policy(model, train, valid, rewards.WeightedSum([(fluent, 0.5), (relevance, 4.0)]), epochs=3)
    ```
    """

    def __init__(self, tokenizer: ExplanationTokenizer, scores: ReasonScores) -> None:
        self.tokenizer, self.scores = tokenizer, scores

    def bind(self, dataset: ExplanationDataset) -> BoundReward:
        concepts = self.scores.concepts
        stated = [np.flatnonzero(of_one).tolist() for of_one in concepts.mentioned(dataset.explanations)]
        found = self.scores.of_concepts(dataset.inputs, stated)
        counted = [strengths(of_one) for of_one in found]
        for of_one in counted:
            against = {other for concept in of_one for other in concepts.alternatives[concept]}
            of_one.update(dict.fromkeys(against - of_one.keys(), -1.0))

        def reward(ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
            texts = self.tokenizer.detokenize(ids)
            return np.array(
                [
                    relevance(concepts.read_all(text), counted[row])
                    for text, row in zip(texts, rows.tolist(), strict=True)
                ],
                "float32",
            )

        return reward


class WeightedSum:
    """Several rewards at once, such as CIDEr-D, so that sentences stay sentences, and a class probability.

    Args:
        parts: each reward with its weight.

    Raises:
        ValueError: if a weight is not a finite number.

    Example:

    ```python
    WeightedSum([(CiderD(tokenizer, train.explanations), 1.0), (ClassProbability(classifier), 2.0)])
    ```
    """

    def __init__(self, parts: list[tuple[Reward, float]]) -> None:
        for part, weight in parts:
            check_number(f"the weight of {type(part).__name__}", weight)
        self.parts = parts

    def bind(self, dataset: ExplanationDataset) -> BoundReward:
        bound = [(part.bind(dataset), weight) for part, weight in self.parts]

        def reward(ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return np.sum([weight * part(ids, rows) for part, weight in bound], axis=0, dtype="float32")

        return reward


class _References:
    """The reference sentences of one example, as an index from n-grams to the references that have them."""

    def __init__(self, reward: CiderD, sentences: list[str]) -> None:
        if not sentences:
            raise ValueError("an example has no reference sentence; bind dataset.explained() instead")
        self._reward = reward
        self._index: dict[tuple[str, ...], list[tuple[int, float]]] = {}
        self._norms, self._lengths = [], []
        for number, sentence in enumerate(sentences):
            tokens = words(sentence)
            weights, norms = reward.weights(tokens)
            self._norms.append(norms)
            self._lengths.append(len(tokens))
            for ngram, weight in weights.items():
                self._index.setdefault(ngram, []).append((number, weight))

    def score(self, sentence: str) -> float:
        tokens = words(sentence)
        weights, norms = self._reward.weights(tokens)
        products = [[0.0] * len(_ORDERS) for _ in self._norms]
        for ngram, weight in weights.items():
            for number, written in self._index.get(ngram, ()):
                products[number][len(ngram) - 1] += min(weight, written) * written
        total = 0.0
        for of_one, length, written_norms in zip(products, self._lengths, self._norms, strict=True):
            cosines = sum(
                product / (norm * written)
                for product, norm, written in zip(of_one, norms, written_norms, strict=True)
                if product
            )
            total += cosines * math.exp(-((len(tokens) - length) ** 2) / (2 * _SIGMA**2))
        return 10 * total / (len(_ORDERS) * len(products))


def _ngrams(tokens: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [ngram for order in _ORDERS for ngram in ngrams(tokens, order)]
