"""Simulatability: does who hears the sentence foresee what the classifier decides?"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.analysis.faithfulness_metrics.sentence_vectors import SentenceVectors
from interpnet_tf.analysis.faithfulness_metrics.softmax_regression import SoftmaxRegression

_COMPONENTS = 2  # with 20, people's sentences hardly help any more to foresee decisions about CUB
_EXAMPLES = 500  # enough to find these few directions


def simulatability(material: Material) -> np.ndarray:
    """Measures by how much a sentence helps to foresee the decision.

    Simulators that learnt which class the classifier predicts of training examples foresee it of others, from
    the example and the sentence (x, e), or from x alone. The figure of an example is

        1[simulator(x, e) is right] - 1[simulator(x) is right].

    Simulators are multinomial logistic regressions. Their sentences are people's training sentences, and of x
    they see the first 2 principal components, a glimpse: who sees as much as the classifier needs no
    sentence. Higher is more faithful; below 0, the sentences mislead.

    Pitfall: that a sentence lets one foresee the decision does not mean that the decision was made so. A
    sentence that just names what is typical of the class leaks the decision; see `simulatability_bins`.

    Args:
        material: what the metrics read.

    Returns:
        -1, 0 or 1, `(examples,)`; the mean is a difference of accuracies.

    References:
    - [Hase et al. 2020](https://arxiv.org/abs/2010.04119), section 3
    """
    return _simulated(material)[0]


def simulatability_bins(material: Material) -> dict[str, np.ndarray]:
    """Returns how much the sentences help where they leak the decision, where they do not, and adjusted.

    A sentence leaks if the simulator foresees the decision from it alone. The leakage-adjusted figures of
    Hase et al. weigh both groups alike: their mean is the mean of the means of both.

    Pitfall: with few examples in a group its mean is uncertain and counts a half all the same. A sentence
    that tells nothing leaks by chance now and then, and where it does, it seems to help: the adjusted figure
    alone does not tell a decoder that hears nothing from one that does. Read the groups and their sizes.

    Returns:
        `"leaking"` and `"not leaking"`, NaN outside of the group, and `"leakage-adjusted"`, `(examples,)`
        each.
    """
    helped, leaks = _simulated(material)
    groups = [group for group in (leaks, ~leaks) if group.any()]
    weights = sum(group * (len(helped) / (len(groups) * np.count_nonzero(group))) for group in groups)
    return {
        "leaking": np.where(leaks, helped, np.nan),
        "not leaking": np.where(leaks, np.nan, helped),
        "leakage-adjusted": helped * weights,
    }


def _simulated(material: Material) -> tuple[np.ndarray, np.ndarray]:
    """Returns by how much each sentence helps, -1, 0 or 1, and whether it leaks, `(examples,)`."""
    simulators = material.once("simulators", lambda: _Simulators.learn(material))
    e = simulators.vectors(material.said)
    x = simulators.components(_flat_inputs(material.dataset.inputs))
    both, of_x, of_e = (
        simulator.predict(np.concatenate(parts, axis=1)) == material.predicted
        for simulator, parts in ((simulators.both, [x, e]), (simulators.of_x, [x]), (simulators.of_e, [e]))
    )
    return both.astype("float64") - of_x, of_e


class _Simulators(NamedTuple):
    """Who foresees the classifier's decision from the example, the sentence, or both."""

    components: _Components
    vectors: SentenceVectors
    both: SoftmaxRegression
    of_x: SoftmaxRegression
    of_e: SoftmaxRegression

    @classmethod
    def learn(cls, material: Material) -> _Simulators:
        train, sentences = material.train, material.training_sentences
        inputs = _flat_inputs(train.inputs)
        components = _Components(inputs[:: -(-len(inputs) // _EXAMPLES)])
        x, e = components(inputs), sentences.vectors
        of_sentence = material.train_predicted[sentences.owners]
        return cls(
            components,
            sentences.encoder,
            SoftmaxRegression(np.concatenate([x[sentences.owners], e], axis=1), of_sentence),
            SoftmaxRegression(x, material.train_predicted),
            SoftmaxRegression(e, of_sentence),
        )


class _Components:
    """Projects vectors on the directions in which those of some examples differ most.

    Args:
        inputs: `(examples, width)`. The projections of a typical example have a length of 1.
    """

    def __init__(self, inputs: np.ndarray) -> None:
        self._mean = inputs.mean(axis=0, dtype="float32")
        centred = inputs - self._mean
        values, vectors = np.linalg.eigh(centred @ centred.T)
        values, vectors = values[-_COMPONENTS:], vectors[:, -_COMPONENTS:]
        real = values > 1e-6 * values[-1]
        values, vectors = values[real], vectors[:, real]
        scale = np.sqrt(len(inputs) / values.sum()) if len(values) else 1.0
        self._basis = centred.T @ (vectors * (scale / np.sqrt(values)))

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        parts = np.array_split(inputs, -(-len(inputs) // _EXAMPLES))
        return np.concatenate([(part - self._mean) @ self._basis for part in parts])


def _flat_inputs(inputs: Any) -> np.ndarray:
    """Returns the inputs of examples as vectors, `(examples, width)`."""
    parts = [np.asarray(part).reshape(len(part), -1) for part in keras.tree.flatten(inputs)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
