"""Error tracking: where the classifier errs, does the sentence follow the error or the truth?"""

from __future__ import annotations

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics.material import Material


def error_tracking(material: Material) -> np.ndarray:
    """Measures whether a sentence tells the class that was wrongly predicted: P(predicted|e) - P(true|e).

    P is that of a reader of sentences, which has seen no sentence of the example, see `Reader`. 1 speaks of
    the class that was decided for, -1 of the one that would have been right: who explains an error must say
    what speaks for it. Higher is more faithful.

    Pitfall: a picture that is taken for another class often looks like it, so that a caption of the picture
    tracks errors, too; `without_layers` tells what of it goes through which layer. And errors are few.

    Args:
        material: what the metrics read.

    Returns:
        Differences between -1 and 1, `(examples,)`; NaN where the classifier is right, and where the reader
        does not know the class that is predicted.

    References:
    - [Hendricks et al. 2016](https://arxiv.org/abs/1603.08507), sentences that are relevant for a class
    """
    return _tracking(material, material.read)


def without_layers(material: Material) -> dict[str, np.ndarray]:
    """Is `error_tracking` of what is said greedily without a layer: its block of r(x) is the training mean.

    Returns:
        For each layer of r(x), `"without …"`, as `error_tracking`.
    """
    wrong = np.flatnonzero(~material.right)
    mean = material.train_r.mean(axis=0)
    tracking = {}
    for layer, block in material.model.introspector.slices.items():
        r = material.r[wrong]
        r[:, block] = mean[block]
        said = list(material.said)
        for place, sentence in zip(wrong, material.speak(r), strict=True):
            said[place] = sentence
        tracking[f"without {layer}"] = _tracking(material, material.reader.probabilities(said))
    return tracking


def _tracking(material: Material, read: np.ndarray) -> np.ndarray:
    places = np.arange(len(read))
    difference = read[places, material.predicted] - read[places, material.labels]
    counts = ~material.right & np.isin(material.predicted, material.reader.classes)
    return np.where(counts, difference, np.nan)
