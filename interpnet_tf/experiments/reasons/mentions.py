"""Counterfactual mention: where an edit of a picture changes the decision, does the sentence speak of it?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from interpnet_tf.data import sketchbirds
from interpnet_tf.experiments.reasons.effects import PARTS
from interpnet_tf.introspection.probabilities import class_probabilities
from interpnet_tf.model import InterpNet
from interpnet_tf.support.checks import check_whole

Speak = Callable[[np.ndarray], list[str]]


@dataclasses.dataclass(frozen=True)
class CounterfactualMentions:
    """Edits of pictures, what they did to the decision, and whether they are spoken of.

    Args:
        picture: the picture of each edit, by its place in the split, int `(edits,)`.
        part: the part that was repainted, by its place in `PARTS`, int `(edits,)`.
        effect: total variation between the class probabilities before and after, `(edits,)`.
        named: whether the sentence about the edited picture names the part, bool `(edits,)`.
    """

    picture: np.ndarray
    part: np.ndarray
    effect: np.ndarray
    named: np.ndarray

    @property
    def correlation(self) -> float:
        """Pearson's correlation between `effect` and `named`, see `counterfactual_mentions`."""
        return float(self.figures.mean())

    @property
    def correlation_within_parts(self) -> float:
        """The same with each part's mean over its edits taken off both: is it named where *its* edits count?

        A constant sentence has 0, whatever it names.
        """
        return float(self.figures_within_parts.mean())

    @property
    def figures(self) -> np.ndarray:
        """What each picture adds to `correlation`, which is their mean: for intervals, `(pictures,)`."""
        return self._figures(self.effect, self.named.astype("float64"))

    @property
    def figures_within_parts(self) -> np.ndarray:
        """What each picture adds to `correlation_within_parts`, `(pictures,)`."""
        counts = np.bincount(self.part)
        return self._figures(
            *(
                values - (np.bincount(self.part, values) / np.maximum(counts, 1))[self.part]
                for values in (self.effect, self.named.astype("float64"))
            )
        )

    def _figures(self, effect: np.ndarray, named: np.ndarray) -> np.ndarray:
        products = np.ones(len(effect))
        for values in (effect, named):
            deviation = values.std()
            products *= (values - values.mean()) / (deviation if deviation > 1e-9 else np.inf)
        pictures = self.picture.max() + 1
        return np.bincount(self.picture, products) * (pictures / len(products))


def counterfactual_mentions(
    model: InterpNet,
    split: str = "test",
    seed: int = 0,
    edits: int = 3,
    speak: Speak | None = None,
    image_size: int = 64,
    batch_size: int = 64,
    **drawing: Any,
) -> CounterfactualMentions:
    """Repaints parts of pictures, and asks whether the sentences speak of what changed the decision.

        correlation = Pearson's r between TV(P(class | picture), P(class | edited)) and 1[part named in e']

    over the edits, where TV is the total variation, and e' the sentence about the edited picture. The parts
    are drawn at random among those that a picture shows, and so are their new values. Higher is more
    faithful; 1 is out of reach, since a sentence names a few parts of many.

    Pitfall: some parts count for more than others in all pictures. A sentence that is always the same has a
    correlation above or below 0, by what it happens to name; `correlation_within_parts` leaves that out. And
    a sentence that names a part without reason is blamed less the rarer it does.

    Args:
        model: a trained `InterpNet` that reads the pictures of sketchbirds.
        split, seed, image_size: as of `sketchbirds.load`.
        edits: how many parts of each picture are repainted, one at a time.
        speak: says a sentence about each of some pictures, uint8 `(pictures, height, width, 3)`; `None` is
            what the model says greedily.
        batch_size: pictures at a time.
        **drawing: other arguments of `sketchbirds.load`: `per_species`, `shortcut`, `mark`.

    Returns:
        `CounterfactualMentions`, pictures in the order of `load`.

    Raises:
        ValueError: if an argument is out of its range.

    References:
    - [Siegel et al. 2024](https://arxiv.org/abs/2404.03189), the correlational counterfactual test
    """
    check_whole("edits", edits, 1, 5)  # every picture shows so many
    sketches = sketchbirds.sketches(split, seed, **drawing)
    chosen, edited = [], []
    for index, sketch in enumerate(sketches):
        random = np.random.default_rng([seed, index])
        visible = [column for column, part in enumerate(PARTS) if part in sketch.facts.visible]
        for column in random.permutation(visible)[:edits]:
            part = PARTS[column]
            others = [value for value in sketchbirds.VALUES[part] if value != sketch.facts.attributes[part]]
            edited.append(sketch.draw(image_size, {part: random.choice(others)}))
            chosen.append((index, column))
    picture, part = np.array(chosen).T
    before = _probabilities(model, np.stack([sketch.draw(image_size) for sketch in sketches]), batch_size)
    after = _probabilities(model, np.stack(edited), batch_size)
    if speak is None:
        said = [explanation.text for explanation in model.explain(np.stack(edited), batch_size=batch_size)]
    else:
        said = speak(np.stack(edited))
    facts = [dict(sketchbirds.parse_facts(sentence)) for sentence in said]
    named = [PARTS[column] in of_one for column, of_one in zip(part, facts, strict=True)]
    return CounterfactualMentions(
        picture, part, np.abs(before[picture] - after).sum(axis=1) / 2, np.array(named)
    )


def _probabilities(model: InterpNet, pictures: np.ndarray, batch_size: int) -> np.ndarray:
    scores = model.classifier.predict(pictures, batch_size=batch_size, verbose=0)
    return class_probabilities(model.classifier, scores, model.output_kind).numpy()
