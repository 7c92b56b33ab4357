"""When is a sentence about an example true? Three answers, by what is known of the data.

A criterion is a function of sentences and the data set that they are about, one sentence an example, which
returns a truth value for each, bool `(examples,)`. Its `description` goes on "the probability that …".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from interpnet_tf.data.cub_attributes import AttributeTable
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.metrics.read_back import ReadBack
from interpnet_tf.metrics.truth import THRESHOLD_PERCENT, count_phrases


class Criterion(Protocol):
    """What makes a sentence true."""

    description: str

    def __call__(self, sentences: Sequence[str], dataset: ExplanationDataset) -> np.ndarray:
        """Returns whether each sentence is true of its example, bool `(examples,)`."""


class FactsTrue:
    """A sentence is true if it states a fact, and every fact that it states is true of its picture.

    For data whose facts are known (`dataset.facts`): sketchbirds.

    Example:

    >>> from interpnet_tf.data import sketchbirds
    >>> birds = sketchbirds.load("test", per_species=1).subset([0])
    >>> FactsTrue()(birds.explanations[0][:1], birds)
    array([ True])
    """

    description = "every fact that it states is true of the picture, and it states one"

    def __call__(self, sentences: Sequence[str], dataset: ExplanationDataset) -> np.ndarray:
        from interpnet_tf.data.sketchbirds import parse_facts

        if dataset.facts is None:
            raise ValueError("the data set has no facts; use another criterion, such as TellsClass")
        said = [parse_facts(sentence) for sentence in sentences]
        pairs = zip(said, dataset.facts, strict=True)
        return np.array([bool(of_one) and of_one <= bird.attributes.items() for of_one, bird in pairs], bool)


class PhrasesTrue:
    """A sentence is true if it has a phrase, and every phrase is true of its example's class.

    For birds of CUB-200-2011. What `metrics.truth.count_phrases` finds true is true of the species, so that
    the very bird may look otherwise.

    Args:
        table: the attributes of the classes, `data.cub_attributes.load(root)`.
        threshold: in per cent, see `count_phrases`.
    """

    description = "every phrase of it is true of the species, by the attributes of CUB, and it has one"

    def __init__(self, table: AttributeTable, threshold: float = THRESHOLD_PERCENT) -> None:
        self.table, self.threshold = table, threshold

    def __call__(self, sentences: Sequence[str], dataset: ExplanationDataset) -> np.ndarray:
        counts, true = count_phrases(list(sentences), dataset.labels, self.table, self.threshold)
        return (counts > 0) & (true == counts)


class TellsClass:
    """A sentence is true if a reader takes it for one about its example's class.

    For any data: nothing but sentences is known of it. The reader knows people's training sentences and no
    picture. A sentence that is true of several classes alike may well be taken for the wrong one, so that
    this asks for more than truth; and a sentence that names the class by what the example does not show
    passes.

    Args:
        train: training examples with people's sentences.

    Attributes:
        reader: the `metrics.ReadBack` that reads.
    """

    description = "a reader who knows people's sentences takes it for one about the true class"

    def __init__(self, train: ExplanationDataset) -> None:
        self.reader = ReadBack().fit(train.explanations, train.labels)

    def __call__(self, sentences: Sequence[str], dataset: ExplanationDataset) -> np.ndarray:
        return self.reader.predict(list(sentences)) == dataset.labels
