"""Controls: sentences that cannot know what a network decided by."""

from __future__ import annotations

from interpnet_tf.analysis.faithfulness_metrics.material import Material
from interpnet_tf.metrics.cider_pairs import CiderPairs
from interpnet_tf.metrics.yardsticks import most_frequent_sentence

_MOST_SENTENCES = 50  # of a class, among which the most typical one is looked for


def constant(material: Material) -> list[str]:
    """Returns the training sentence that was written most often, for every example."""
    return [most_frequent_sentence(material.train.explanations)] * len(material.dataset)


def template(material: Material) -> list[str]:
    """Returns for each example the most typical training sentence of the class that is predicted.

    That is the one with the highest CIDEr-D against the sentences of its class; of a class without any it is
    the sentence that was written most often.
    """
    return material.once("template", lambda: _template(material))


def _template(material: Material) -> list[str]:
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
