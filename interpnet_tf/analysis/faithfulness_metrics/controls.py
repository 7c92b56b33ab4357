"""Controls: sentences and decoders that cannot know what a network decided by."""

from __future__ import annotations

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.fitting.optimizers import FusedAdam
from interpnet_tf.metrics.cider_pairs import CiderPairs
from interpnet_tf.metrics.yardsticks import most_frequent_sentence
from interpnet_tf.model import InterpNet

_MOST_SENTENCES = 50  # of a class, among which the most typical one is looked for


def constant(material: Material) -> list[str]:
    """Returns the training sentence that was written most often, for every example."""
    return [most_frequent_sentence(material.train.explanations)] * len(material.dataset)


def template(material: Material) -> list[str]:
    """Returns for each example the most typical training sentence of the class that is predicted.

    That is the one with the highest CIDEr-D against the sentences of its class; of a class without any it is
    the sentence that was written most often.
    """
    of_class: dict[int, list[str]] = {}
    for label, sentences in zip(material.train.labels.tolist(), material.train.explanations, strict=True):
        of_class.setdefault(label, []).extend(sentences)
    kept = {label: sentences[:_MOST_SENTENCES] for label, sentences in of_class.items()}
    pairs = CiderPairs(list(kept.values()))
    typical = {
        label: sentences[int(pairs(sentences)[:, place].argmax())]
        for place, (label, sentences) in enumerate(kept.items())
    }
    otherwise = most_frequent_sentence(material.train.explanations)
    return [typical.get(label, otherwise) for label in material.predicted.tolist()]


def shuffled_r(
    model: InterpNet,
    train: ExplanationDataset,
    epochs: int = 3,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> InterpNet:
    """Trains the decoder of a model anew, on r(x) of the wrong examples.

    Each sentence is learnt from r(x) of an example drawn at random. What r(x) tells of the sentence is gone,
    and what can be learnt is how people speak: a metric that does not tell such a decoder from an honest one
    measures nothing of the network. So a few epochs suffice.

    Args:
        model: a trained `InterpNet`, which stays as it is.
        train: the examples that it was trained on.
        epochs: passes over the sentences.
        batch_size: sentences a batch.
        learning_rate: of Adam.
        seed: of the permutation, and of the order of the sentences.

    Returns:
        An `InterpNet` with the same classifier and a new decoder of the same architecture; it can be saved.
    """
    shuffled = type(model).from_config(model.get_config())
    shuffled.classifier.set_weights(model.classifier.get_weights())
    train = train.explained()
    order = np.random.default_rng(seed).permutation(len(train))
    batches = shuffled.prepare(
        train, batch_size=batch_size, shuffle=True, seed=seed, r=shuffled.introspect(train)[order]
    )
    shuffled.compile(FusedAdam(learning_rate))
    shuffled.fit(batches, epochs=epochs, verbose=0)
    return shuffled
