"""Read-back: a text classifier reads a sentence and names the class. Does the sentence tell it?"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from interpnet_tf.language.text import canonical
from interpnet_tf.metrics.minimize import minimize
from interpnet_tf.metrics.sparse import SparseMatrix


class ReadBack:
    """Multinomial logistic regression on tf-idf of words and pairs of words.

    It never sees a generated sentence in training, and knows the classes that have sentences. The fit is
    convex and starts from zero: the same sentences give the same classifier.

    Args:
        regularization: C, the weight of the likelihood against the penalty ‖W‖² / 2, as in scikit-learn. 3 is
            the best of 0.3, 1, 3 and 10 for single sentences about held-out training images of CUB.
        iterations: the most steps of L-BFGS; between 50 and 100 the accuracy on CUB changes by less than
            half a per cent.

    Attributes:
        classes: ids of the classes that it knows, ascending, `(known,)`; set by `fit`.

    Example:

    >>> reader = ReadBack().fit([["a black bird", "it is black"], ["a white bird"], []], [3, 5, 8])
    >>> reader.predict(["a white wing", "black, black!"])
    array([5, 3])
    """

    def __init__(self, regularization: float = 3.0, iterations: int = 100):
        if not regularization > 0:
            raise ValueError(f"regularization must be above 0, got {regularization}")
        if iterations < 1:
            raise ValueError(f"iterations must be at least 1, got {iterations}")
        self.regularization = regularization
        self.iterations = iterations
        self.classes: np.ndarray | None = None

    def fit(self, sentences: Sequence[Sequence[str]], labels: Sequence[int]) -> ReadBack:
        """Learns to tell the class from a sentence.

        Args:
            sentences: the sentences of each example; one may have none.
            labels: class id of each example, `(examples,)`.

        Returns:
            Itself.

        Raises:
            ValueError: if there is not one label an example, or fewer than two classes have sentences.
        """
        if len(sentences) != len(labels):
            raise ValueError(
                f"sentences and labels must have one entry an example each, got {len(sentences)} and "
                f"{len(labels)}"
            )
        counts = [len(example) for example in sentences]
        of_sentence = np.repeat(np.asarray(labels, "int64"), counts)
        self.classes, target = np.unique(of_sentence, return_inverse=True)
        if len(self.classes) < 2:
            raise ValueError(
                f"sentences of two classes or more are needed to tell them apart, got {len(self.classes)}"
            )
        said = [_features(sentence) for example in sentences for sentence in example]
        frequencies = Counter(feature for features in said for feature in features)
        self._columns = {feature: column for column, feature in enumerate(frequencies)}
        self._idf = 1 + np.log((1 + len(said)) / (1 + np.array(list(frequencies.values()), "float64")))
        self._weights, self._bias = self._fitted(self._matrix(said), target)
        return self

    def probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        """Computes the probability of each known class.

        Args:
            sentences: one or more sentences.

        Returns:
            float64 `(sentences, known)`, columns in the order of `classes`; the prior where a sentence has
            no known word.
        """
        return np.exp(self._log_probabilities(sentences))

    def predict(self, sentences: Sequence[str]) -> np.ndarray:
        """Names the class of each sentence.

        Args:
            sentences: one or more sentences.

        Returns:
            Class ids `(sentences,)`.
        """
        return self.classes[self._log_probabilities(sentences).argmax(axis=1)]

    def predict_together(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        """Names the class that several sentences about one thing tell together: the product of theirs.

        Args:
            sentences: of each example one sentence or more.

        Returns:
            Class ids `(examples,)`.

        Raises:
            ValueError: if an example has no sentence.
        """
        counts = np.array([len(example) for example in sentences])
        if not counts.all():
            raise ValueError(f"sentences[{int(np.argmin(counts))}] has no sentence; leave such examples out")
        scores = self._log_probabilities([sentence for example in sentences for sentence in example])
        starts = np.cumsum(counts) - counts
        return self.classes[np.add.reduceat(scores, starts, axis=0).argmax(axis=1)]

    def _log_probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        if self.classes is None:
            raise ValueError("the reader has not learned yet; call fit first")
        if isinstance(sentences, str):
            raise ValueError(f"sentences must be a list of sentences, got the text {sentences!r}")
        scores = self._matrix([_features(sentence) for sentence in sentences]) @ self._weights + self._bias
        return _log_softmax(scores.astype("float64"))

    def _matrix(self, said: list[Counter]) -> SparseMatrix:
        """Returns the tf-idf vectors of sentences, `(sentences, features)`, each of length 1."""
        entries = [
            (row, self._columns[feature], count)
            for row, features in enumerate(said)
            for feature, count in features.items()
            if feature in self._columns
        ]
        row, column, count = np.array(entries, "int64").reshape(-1, 3).T
        value = (1 + np.log(count)) * self._idf[column]
        norm = np.sqrt(np.bincount(row, value**2, minlength=len(said)))
        return SparseMatrix(row, column, value / norm[row], (len(said), len(self._columns)))

    def _fitted(self, rows: SparseMatrix, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns weights `(features, known)` and bias `(known,)`."""
        columns, index, shape = (
            rows.transposed,
            np.arange(len(target)),
            (rows.shape[1] + 1, len(self.classes)),
        )

        def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
            weights, bias = np.split(parameters.reshape(shape), [-1])
            logs = _log_softmax(rows @ weights + bias)
            error = np.exp(logs)
            error[index, target] -= 1
            error *= self.regularization
            value = -self.regularization * logs[index, target].sum(dtype="float64")
            value += (weights**2).sum(dtype="float64") / 2
            gradient = np.concatenate([columns @ error + weights, error.sum(axis=0, keepdims=True)])
            return float(value), gradient.ravel()

        start = np.zeros(shape, "float32").ravel()
        weights, bias = np.split(minimize(loss, start, self.iterations).reshape(shape), [-1])
        return weights, bias[0]


def _features(sentence: str) -> Counter:
    """Counts words of two letters or more, and pairs of neighbours among them."""
    found = re.findall(r"\b\w\w+\b", canonical(sentence))
    return Counter([*found, *itertools.pairwise(found)])


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    scores = scores - scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def read_back_accuracy(
    read: np.ndarray,
    labels: np.ndarray,
    predictions: np.ndarray | None = None,
    known: np.ndarray | None = None,
) -> dict[str, float]:
    """Tells how often a reader names the true class and the one that the network predicts.

    A predicted class without sentences is one that no reader can name. Such examples say nothing about the
    sentence, and are left out of the accuracies about predictions; their share is told.

    Args:
        read: the class that the reader names for each example, `(examples,)`.
        labels: the true classes, `(examples,)`.
        predictions: what the network predicts, `(examples,)`; `None` leaves out what needs them.
        known: the classes that the reader knows, as `ReadBack.classes`; needed with `predictions`.

    Returns:
        Shares between 0 and 1, nan where there is no example: `read_back_species`, that name the true
        class; `read_back_predicted`, that name the predicted one; `read_back_predicted_right` and
        `read_back_predicted_wrong`, the same among right and wrong classifications;
        `predicted_unreadable`, whose predicted class the reader does not know.

    Example:

    >>> read_back_accuracy(np.array([1, 2]), np.array([1, 1]), np.array([1, 2]), np.array([1, 2]))
    {'read_back_species': 0.5, 'read_back_predicted': 1.0, 'read_back_predicted_right': 1.0, \
'read_back_predicted_wrong': 1.0, 'predicted_unreadable': 0.0}
    """
    shares = {"read_back_species": float(np.mean(read == labels))}
    if predictions is None:
        return shares
    named, right = read == predictions, predictions == labels
    readable = np.isin(predictions, known)
    for name, group in (("", readable), ("_right", readable & right), ("_wrong", readable & ~right)):
        shares[f"read_back_predicted{name}"] = float(named[group].mean()) if group.any() else float("nan")
    return shares | {"predicted_unreadable": float(1 - readable.mean())}
