"""Randomised classifier: what is still said when the classifier knows nothing is captioning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.analysis.faithfulness_metrics.decision import decision_layers
from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.data.inputs import input_batches
from interpnet_tf.introspection.default_layers import default_layers
from interpnet_tf.introspection.graph import is_graph, trace
from interpnet_tf.introspection.introspector import Introspector
from interpnet_tf.metrics.rouge import rouge_l_sentences


def randomised_classifier(material: Material) -> np.ndarray:
    """Measures how much is said otherwise when all that decides is random: 1 - ROUGE-L(after, before).

    The weights of every layer behind the features change places at random, each within its tensor; the
    features and the decoder stay. A sentence that stays, too, owed nothing to what the classifier learned
    about the classes. Higher is more faithful.

    So that the decoder does not hear numbers of a size that it has never met, each unit of r(x) is shifted
    and scaled to the mean and deviation that it had over the examples: what it tells is gone, and not how
    loud it is.

    Pitfall: necessary and far from sufficient: a decoder that garbles what it hears changes, too.

    Args:
        material: what the metrics read.

    Returns:
        0 where the sentence is the same, 1 where no word of it is left, `(examples,)`.

    References:
    - [Adebayo et al. 2018](https://arxiv.org/abs/1810.03292), cascading randomisation
    """
    decides, r = decision_layers(material.model), material.r
    for layer, randomised in _cascade(material):
        if layer in decides:
            r = randomised
    return words_changed(material.greedy, material.speak(r))


def by_depth(material: Material) -> dict[str, np.ndarray]:
    """Is `randomised_classifier` from the top down: with all weights from each layer on, for each layer.

    Returns:
        For each layer that r(x) holds by default, from the class probabilities down, `"from …"`; the lowest
        one includes all that lies before it.
    """
    return {
        f"from {layer}": words_changed(material.greedy, material.speak(r)) for layer, r in _cascade(material)
    }


def words_changed(said: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """Returns how much sentences differ, 1 - ROUGE-L, `(examples,)`.

    Args:
        said: one sentence an example.
        others: one sentence an example, such as those of a model of `permuted_labels`.
    """
    return 1 - np.array(rouge_l_sentences(list(others), [[sentence] for sentence in said]))


def _cascade(material: Material) -> Iterator[tuple[str, np.ndarray]]:
    """Yields from the top down a layer, and r(x) with random weights from it on `(examples, width)`."""
    original = material.model.introspector
    introspector = Introspector.from_config(original.get_config())
    introspector.set_weights(original.get_weights())
    random = np.random.default_rng(material.seed)
    read = tf.function(lambda x: introspector(x, training=False)["r"], reduce_retracing=True, autograph=False)
    mean, deviation = material.r.mean(axis=0), material.r.std(axis=0)
    for path, layers in _from_the_top(introspector.classifier):
        if not any(layer.weights for layer in layers):
            continue
        for layer in layers:
            layer.set_weights([_permuted(weights, random) for weights in layer.get_weights()])
        batches = input_batches(material.dataset, material.batch_size, introspector.input)
        r = np.concatenate([read(batch).numpy() for batch in batches])
        units = r.std(axis=0)
        scale = np.divide(deviation, units, out=np.zeros_like(units), where=units > 0)
        yield path, (r - r.mean(axis=0)) * scale + mean


def _permuted(weights: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Returns weights in another order. An initializer might give those again that training began with."""
    return random.permutation(weights.reshape(-1)).reshape(weights.shape)


def _from_the_top(classifier: keras.Model) -> list[tuple[str, list[keras.Layer]]]:
    """Returns the layers that r(x) holds by default, last to first, and for each which layers lead up to it.

    These are all layers from it down to the one before, which is not among them; every layer is named once.
    """
    paths = default_layers(trace(classifier))
    leaves = list(_leaves(classifier))

    def place(path: str) -> int:
        of_path = [at for at, (name, _) in enumerate(leaves) if f"{name}/".startswith(f"{path}/")]
        return max(of_path, default=-1)  # an input may be no layer

    places = sorted((place(path), path) for path in paths)
    begins = [0, *(at + 1 for at, _ in places[:-1])]
    ends = [*(begin for begin in begins[1:]), len(leaves)]
    return [
        (path, [layer for _, layer in leaves[begin:end]])
        for (_, path), begin, end in zip(places, begins, ends, strict=True)
    ][::-1]


def _leaves(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.Layer]]:
    """Yields path and layer of every layer that is no nested model, in the order in which they are called."""
    for layer in model.layers:
        if is_graph(layer):
            yield from _leaves(layer, f"{prefix}{layer.name}/")
        else:
            yield f"{prefix}{layer.name}", layer
