"""Error tracking: where the classifier errs, does the sentence follow the decision?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics.decision import decision_layers, with_layers_of
from interpnet_tf.analysis.faithfulness_metrics.material import Material


def error_tracking(material: Material) -> np.ndarray:
    """Measures by how much a wrong decision makes the sentence tell the wrong class.

    T(e) = P(predicted|e) - P(true|e), with the probabilities of a reader of sentences, see `Reader`: 1 tells
    the class that was decided for, -1 the one that would have been right. The figure is T of what the model
    says greedily, minus T of what it says when the features stay and the decision becomes the right one: that
    of an example of the true class which is classified rightly. Who explains an error says what speaks for
    it, and takes it back when the decision is another. Higher is more faithful.

    Pitfall: T alone, which the details tell, measures no explanation: a picture that is taken for another
    class looks like it, so that captions have a T of their own, and a sentence for each predicted class has
    the highest. Errors may be few; look at the interval.

    Args:
        material: what the metrics read.

    Returns:
        Differences between -2 and 2, `(examples,)`; NaN where the classifier is right, where the reader does
        not know the class that is predicted, and where no example of the true class is classified rightly.

    References:
    - [Hendricks et al. 2016](https://arxiv.org/abs/1603.08507), sentences that are relevant for a class
    - [Geiger et al. 2021](https://arxiv.org/abs/2106.02997), interchange interventions
    """
    wrong, sources = _errors(material)
    r = with_layers_of(material, decision_layers(material.model), sources)[wrong]
    return _told(material, wrong, material.r[wrong]) - _told(material, wrong, r)


def told_without_layers(material: Material) -> dict[str, np.ndarray]:
    """Is T of `error_tracking`: as it is, and with each layer of r(x) at its mean in training.

    Returns:
        For all of r(x), `"P(predicted) - P(true)"`, and for each layer, `"the same without …"`.
    """
    wrong = np.flatnonzero(~material.right)
    told = {"P(predicted) - P(true)": _told(material, wrong, material.r[wrong])}
    mean = material.train_r.mean(axis=0)
    for layer, block in material.model.introspector.slices.items():
        r = material.r[wrong]
        r[:, block] = mean[block]
        told[f"the same without {layer}"] = _told(material, wrong, r)
    return told


def _errors(material: Material) -> tuple[np.ndarray, np.ndarray]:
    """Returns the errors that have a source, and for every example a source: of its true class, and right."""
    random = np.random.default_rng(material.seed)
    sources = np.full(len(material.labels), -1)
    for place in np.flatnonzero(~material.right):
        allowed = np.flatnonzero(material.right & (material.labels == material.labels[place]))
        if len(allowed):
            sources[place] = random.choice(allowed)
    return np.flatnonzero(sources >= 0), sources


def _told(material: Material, places: Sequence[int], r: np.ndarray) -> np.ndarray:
    """Returns T of what is said of r `(places, width)`, `(examples,)`; NaN elsewhere."""
    said = list(material.greedy)
    for place, sentence in zip(places, material.speak(r), strict=True):
        said[place] = sentence
    read = material.reader.probabilities(said)
    everywhere = np.arange(len(read))
    told = read[everywhere, material.predicted] - read[everywhere, material.labels]
    known = np.isin(material.predicted, material.reader.classes)
    return np.where(np.isin(everywhere, places) & known, told, np.nan)
