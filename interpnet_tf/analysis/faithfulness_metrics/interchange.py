"""Interchange: layers of r(x) become those of another example. Does the sentence follow?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics.decision import decision_layers, with_layers_of
from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.generation.scoring import divergences


def interchange_words(material: Material) -> np.ndarray:
    """Measures how far a sentence's words move when the decision becomes another: KL(p, q) / words.

    The features stay those of the example; all layers of r(x) that the classifier computes from them, see
    `decision_layers`, become those of another example. The Kullback-Leibler divergence, mean over the words
    of what was said, is between the distributions of each word before, p, and after, q. What remains when
    that of an example of the same predicted class is subtracted from that of another class is the effect of
    the decision, and not of a mixture that the decoder has never met. Higher is more faithful.

    Pitfall: one layer alone, as `words_by_layer` replaces them, hardly moves a sentence where the others say
    the same. All of r(x) moves every sentence, a caption's too, and tells nothing of the decision: so it is
    all but the features.

    Args:
        material: what the metrics read.

    Returns:
        Bits a word, `(examples,)`; 0 for a decoder that reads none of these layers. NaN where there is no
        other example of the same or of another predicted class.

    References:
    - [Geiger et al. 2021](https://arxiv.org/abs/2106.02997), interchange interventions
    - [Zhang & Nanda 2023](https://arxiv.org/abs/2309.16042), how to measure what they do
    """
    return _words(material, decision_layers(material.model))


def interchange_class(material: Material) -> np.ndarray:
    """Measures how often the sentence tells the class that the decision was changed to.

    As in `interchange_words` the features stay and the decision becomes that of an example of another class;
    then the model speaks anew, greedily. 1 where the reader now names that class, minus 1 where it does so
    with the layers of an example of the same class. Higher is more faithful.

    Pitfall: the reader errs; one that names half of the classes of people's sentences leaves half at best.

    Returns:
        1, 0 or -1, `(examples,)`; NaN as in `interchange_words`, and where the reader does not know the
        class.
    """
    return _classes(material, decision_layers(material.model))


def words_by_layer(material: Material) -> dict[str, np.ndarray]:
    """Is `interchange_words` with one layer of r(x) alone, for each of them."""
    return {layer: _words(material, [layer]) for layer in material.model.introspector.slices}


def classes_by_layer(material: Material) -> dict[str, np.ndarray]:
    """Is `interchange_class` with one layer of r(x) alone, for each of them."""
    return {layer: _classes(material, [layer]) for layer in material.model.introspector.slices}


def _words(material: Material, layers: Sequence[str]) -> np.ndarray:
    ids = material.ids(material.said)
    bits = {}
    for of in ("other", "same"):
        r = with_layers_of(material, layers, material.another(of))
        by_word = divergences(material.model, material.r, r, ids, material.batch_size)
        bits[of] = np.array([of_words.mean(dtype="float64") for of_words in by_word]) / np.log(2)
    return np.where(_have_sources(material), bits["other"] - bits["same"], np.nan)


def _classes(material: Material, layers: Sequence[str]) -> np.ndarray:
    target = material.predicted[material.another("other")]
    named = {}
    for of in ("other", "same"):
        said = material.speak(with_layers_of(material, layers, material.another(of)))
        named[of] = material.reader.probabilities(said).argmax(axis=1) == target
    counts = _have_sources(material) & np.isin(target, material.reader.classes)
    return np.where(counts, named["other"].astype("float64") - named["same"], np.nan)


def _have_sources(material: Material) -> np.ndarray:
    return (material.another("other") >= 0) & (material.another("same") >= 0)
