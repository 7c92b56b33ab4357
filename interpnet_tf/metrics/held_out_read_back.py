"""Read-back by readers that nobody can have copied from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interpnet_tf.metrics.read_back import ReadBack


class HeldOutReadBack:
    """Readers that have seen neither the training sentences nor those of the example they are asked about.

    A reader remembers the sentences it was trained on: of CUB it names the species of 79 % of training
    sentences, and of 45 % of people's first sentences about test images, so that who repeats training
    sentences is read back far better than a person. These are trained on the test examples' sentences, in
    folds: a sentence about an example is read by the reader that was trained on the other folds. They name
    the species of 39 % of both.

    Args:
        sentences: the sentences of each test example.
        labels: class ids, `(examples,)`.
        folds: how many parts, and readers.

    Raises:
        ValueError: if there are fewer than two folds, or a class has a single example: its reader would
            not know the class.
    """

    def __init__(self, sentences: Sequence[Sequence[str]], labels: Sequence[int], folds: int = 2):
        if folds < 2:
            raise ValueError(f"folds must be at least 2, got {folds}")
        labels = np.asarray(labels)
        classes, counts = np.unique(labels, return_counts=True)
        if counts.min() < 2:
            raise ValueError(
                f"class {classes[counts.argmin()]} has a single example; two are needed to hold one out"
            )
        # Every class is dealt out evenly.
        order = np.argsort(labels, kind="stable")
        self._fold = np.empty(len(labels), "int64")
        self._fold[order] = np.arange(len(labels)) % folds
        self._readers = []
        for fold in range(folds):
            others = np.flatnonzero(self._fold != fold)
            self._readers.append(ReadBack().fit([sentences[index] for index in others], labels[others]))

    @property
    def classes(self) -> np.ndarray:
        """Ids of the classes that the readers know, ascending, `(known,)`."""
        return self._readers[0].classes  # every class has an example outside of each fold

    def predict(self, hypotheses: Sequence[str]) -> np.ndarray:
        """Names the class of each sentence.

        Args:
            hypotheses: one sentence a test example, in their order.

        Returns:
            Class ids `(examples,)`.
        """
        return self.classes[self.probabilities(hypotheses).argmax(axis=1)]

    def probabilities(self, hypotheses: Sequence[str]) -> np.ndarray:
        """Computes the probability of each known class.

        Args:
            hypotheses: one sentence a test example, in their order.

        Returns:
            float64 `(examples, known)`, columns in the order of `classes`.
        """
        if len(hypotheses) != len(self._fold):
            raise ValueError(
                f"hypotheses must hold a sentence for each of {len(self._fold)} examples, "
                f"got {len(hypotheses)}"
            )
        probabilities = np.empty((len(hypotheses), len(self.classes)))
        for fold, reader in enumerate(self._readers):
            chosen = np.flatnonzero(self._fold == fold)
            probabilities[chosen] = reader.probabilities([hypotheses[index] for index in chosen])
        return probabilities
