"""`Reader`: names the class that a sentence tells, and has copied from nobody whom it judges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.metrics.held_out_read_back import HeldOutReadBack
from interpnet_tf.metrics.read_back import ReadBack


class Reader:
    """Reads classes from sentences about given examples.

    It learns from the sentences that people wrote of the *other* examples of the same data, which no decoder
    was trained on: see `HeldOutReadBack`. Where a class has a single example, that cannot be, and it learns
    from the training sentences.

    Args:
        dataset: the examples whose sentences will be read, each with a sentence at least.
        train: the training examples.

    Raises:
        ValueError: if it has to learn from `train`, and fewer than two classes have sentences there.
    """

    def __init__(self, dataset: ExplanationDataset, train: ExplanationDataset) -> None:
        self._classes = len(dataset.class_names)
        if np.unique(dataset.labels, return_counts=True)[1].min() > 1:
            self._read = HeldOutReadBack(dataset.explanations, dataset.labels)
        else:
            self._read = ReadBack().fit(train.explanations, train.labels)

    @property
    def classes(self) -> np.ndarray:
        """Ids of the classes that it knows, `(known,)`."""
        return self._read.classes

    def probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        """Returns the probability of each class, float64 `(examples, classes)`; 0 for unknown ones.

        Args:
            sentences: one for each example, in their order.
        """
        of_known = self._read.probabilities(sentences)
        probabilities = np.zeros((len(of_known), self._classes))
        probabilities[:, self.classes] = of_known
        return probabilities
