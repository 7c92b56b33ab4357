"""The examples of a report: what is said of each, whether it is true, and what carried word and decision."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from interpnet_tf.analysis.plot.reliance import layer_shares
from interpnet_tf.analysis.report.carried import Carried
from interpnet_tf.analysis.report.choosing import false_facts
from interpnet_tf.analysis.report.images import as_picture, centre_of, heat_over, thumbnail
from interpnet_tf.attribution import Attribution, DecisionAttribution, attribute, attribute_decision
from interpnet_tf.attribution.heat_maps import layers_of_maps
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.sketchbirds import parse_facts
from interpnet_tf.decoders import LRCNDecoder
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.introspection.bottleneck import last_maps
from interpnet_tf.model import InterpNet

Pictures = Callable[[int], Any]
_STEPS = 32
_CARRIED = 5


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of an example that carried the decision, what it is like, and whether the sentence names it."""

    name: str
    kind: str
    value: float
    named: bool


@dataclasses.dataclass(frozen=True)
class Fact:
    """Something that a sentence states: what, whether it is true, and what is."""

    text: str
    true: bool
    truth: str


@dataclasses.dataclass(frozen=True)
class HeatMap:
    """A picture with a heat map over it: as the `src` of an image, of what, and where it is strongest."""

    source: str
    title: str
    centre: str


@dataclasses.dataclass(frozen=True)
class Example:
    """What a report shows of one example."""

    name: str
    explanation: Explanation
    true_label: str | None
    human: str | None
    attribution: Attribution
    shares: Mapping[str, float]
    decision: DecisionAttribution
    picture: str | None
    heat_maps: list[HeatMap]
    facts: list[Fact]
    parts: list[Part]


def describe(
    model: InterpNet,
    dataset: ExplanationDataset,
    explanations: Sequence[Explanation],
    pictures: Sequence[Image.Image | None],
    carried: Carried | None,
    words: Sequence[Attribution],
    decisions: Sequence[DecisionAttribution],
) -> list[Example]:
    """Returns what is to be shown of examples.

    Args:
        model: the trained `InterpNet`.
        dataset: the examples.
        explanations: what is said of each.
        pictures: of each, where there is one.
        carried: what carried the decision about each, where that is known.
        words, decisions: attributions of the words and of the class of each.
    """
    maps = _heat_maps(model, dataset, explanations, pictures)
    examples = []
    for place, explanation in enumerate(explanations):
        picture, bird = pictures[place], None if dataset.facts is None else dataset.facts[place]
        true_label = dataset.class_names[dataset.labels[place]]
        examples.append(
            Example(
                name=dataset.ids[place].rsplit("/", 1)[-1],
                explanation=explanation,
                true_label=None if true_label == explanation.label else true_label,
                human=next(iter(dataset.explanations[place]), None),
                attribution=words[place],
                shares=layer_shares([decisions[place]]),
                decision=decisions[place],
                picture=None if picture is None else thumbnail(picture),
                heat_maps=maps[place],
                facts=_facts(explanation, bird),
                parts=[] if carried is None else _parts(explanation, bird, carried, place),
            )
        )
    return examples


def attributions(
    model: InterpNet, x: Any, explanations: Sequence[Explanation]
) -> tuple[list[Attribution], list[DecisionAttribution]]:
    """Returns Shapley values of the layers: of each word, and of the class that was predicted."""
    options = {"method": "shapley", "steps": _STEPS, "seed": 0}
    classes = [explanation.class_id for explanation in explanations]
    words = attribute(model, x, explanations, heat_maps=False, **options)
    return words, attribute_decision(model, x, classes, **options)


def picture_of(pictures: Pictures | None, index: int) -> Image.Image | None:
    """Returns the picture of an example, `None` where there is none."""
    found = None if pictures is None else pictures(index)
    return None if found is None else as_picture(found)


def _facts(explanation: Explanation, bird: Any) -> list[Fact]:
    if bird is None:
        return []
    false = false_facts(explanation, bird)
    return [
        Fact(f"{_in_words(name)}: {value}", (name, value) not in false, bird.attributes.get(name, ""))
        for name, value in sorted(parse_facts(explanation.text), key=lambda fact: (fact in false, fact))
    ]


def _parts(explanation: Explanation, bird: Any, carried: Carried, place: int) -> list[Part]:
    if carried.named is None:
        said = {name for name, _ in parse_facts(explanation.text)}
    else:
        said = carried.named[place]
    kinds = {} if bird is None else bird.attributes
    return [
        Part(_in_words(name), kinds.get(name, ""), float(value), name in said)
        for name, value in sorted(carried.values[place].items(), key=lambda item: -item[1])[:_CARRIED]
    ]


def _in_words(name: str) -> str:
    return name.replace("_", " ")


def _heat_maps(
    model: InterpNet,
    dataset: ExplanationDataset,
    explanations: Sequence[Explanation],
    pictures: Sequence[Image.Image | None],
) -> list[list[HeatMap]]:
    """Returns heat maps of the class, and of one word where r(x) holds maps, for classifiers of pictures."""
    found: list[list[HeatMap]] = [[] for _ in explanations]
    path = last_maps(model.classifier)
    if path is None or any(picture is None for picture in pictures):
        return found
    x, classes = dataset.inputs, [explanation.class_id for explanation in explanations]
    for place, decision in enumerate(_decisions_on(model, path, x, classes)):
        title = f"where the decision for {decision.label} lies"
        found[place].append(_drawn(pictures[place], decision.heat_map(path), title))
    of_maps = [
        path for path in layers_of_maps(model.introspector) if len(model.introspector.output[path].shape) == 4
    ]
    if of_maps:
        for place, of_words in enumerate(attribute(model, x, explanations, steps=_STEPS)):
            columns = [of_words.layers.index(path) for path in of_maps]
            word, column = np.unravel_index(
                of_words.scores[:, columns].argmax(), (len(of_words.words), len(columns))
            )
            title = f"where “{of_words.words[word]}” comes from ({of_maps[column]})"
            found[place].append(_drawn(pictures[place], of_words.heat_map(int(word), of_maps[column]), title))
    return found


def _decisions_on(model: InterpNet, path: str, x: Any, classes: Sequence[int]) -> list[DecisionAttribution]:
    """Returns attributions of classes to the positions of maps, which r(x) need not hold."""
    on_maps = InterpNet(
        model.classifier,
        model.tokenizer,
        layers=[path],
        decoder=LRCNDecoder(model.tokenizer.vocabulary_size, embedding_dim=1, units=1),
        class_names=model.class_names,
        output=model.output_kind,
    )
    mean = on_maps.introspect(x).mean(axis=0)
    return attribute_decision(on_maps, x, classes, baseline=mean, steps=_STEPS)


def _drawn(picture: Image.Image, heat: np.ndarray, title: str) -> HeatMap:
    return HeatMap(thumbnail(heat_over(picture, heat)), title, centre_of(heat))
