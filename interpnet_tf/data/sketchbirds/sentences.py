"""Puts facts about a bird into sentences, as varied as those that people write."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from interpnet_tf.data.sketchbirds.facts import BirdFacts
from interpnet_tf.data.sketchbirds.lexicon import PART_NOUNS, PLURALS, VALUE_WORDS, Fact, part_of

# How often a sentence names what tells a species from its twin.
_DISTINGUISHING_RATE = 0.85
# How often a sentence speaks of an attribute that varies, and of one that is absent or plain, beside others.
_VARYING_WEIGHT, _PLAIN_WEIGHT = 2.0, 0.25
_MAX_FACTS = 5

# Of a place: the clauses that follow "the bird", and the phrases that follow a description.
_CLAUSES = {
    "branch": ("sits on a branch", "is perched on a branch", "is sitting on a twig"),
    "ground": ("stands on the ground", "walks on the ground", "is standing on the ground"),
    "water": ("swims on the water", "floats on the water", "is swimming on a pond"),
    "air": ("flies", "is flying", "flies in the air"),
}
_PHRASES = {
    "branch": ("sitting on a branch", "perched on a twig", "on a branch"),
    "ground": ("standing on the ground", "on the ground", "walking on the ground"),
    "water": ("swimming on the water", "on the water", "floating on a pond"),
    "air": ("in flight", "flying", "flying in the air"),
}


def describe(facts: BirdFacts, random: np.random.Generator, count: int = 10) -> list[str]:
    """Writes sentences about what is visible of a bird.

    Args:
        facts: of the bird. Hidden parts are never named.
        random: of the choice of facts and words.
        count: number of sentences.

    Returns:
        A list of `count` sentences, each naming 2 to 5 facts.
    """
    return [render(_choose(facts, random), random) for _ in range(count)]


def render(facts: Iterable[Fact], random: np.random.Generator) -> str:
    """Writes one sentence that states exactly the given facts.

    Args:
        facts: (attribute, value) pairs, one an attribute, at least one of them about a part of the bird.
        random: of the order and the words.

    Returns:
        A lower-case sentence that ends in `"."`.

    Raises:
        ValueError: if no part of the bird is among the facts.

    Example:

    >>> from interpnet_tf.data.sketchbirds import parse_facts
    >>> said = {("crown", "red"), ("bill", "orange"), ("place", "branch")}
    >>> parse_facts(render(said, np.random.default_rng(0))) == said
    True
    """
    said = dict(sorted(facts))
    place, size = said.pop("place", None), said.pop("size", None)
    if not said:
        raise ValueError(
            f"facts must name a part of the bird beside its place and size, got {sorted(facts)}; add one, "
            "such as ('crown', 'red')"
        )
    parts: dict[str, list[str]] = {}
    # "a short orange bill": the shape or pattern stands before the colour.
    for attribute in sorted(said, key=lambda name: name == part_of(name)):
        parts.setdefault(part_of(attribute), []).append(said[attribute])
    order = [list(parts)[i] for i in random.permutation(len(parts))]
    words = _Words(random)
    bird = words.one_of(VALUE_WORDS[size]) + " bird" if size else "bird"
    if size is None and "no" not in said.values() and random.random() < 0.25:
        return _predicates(place, [(part, parts[part]) for part in order], words)
    listed = words.listing([words.noun_phrase(part, parts[part]) for part in order])
    if place is None:
        templates = (
            "this {b} has {l}",
            "the {b} has {l}",
            "a {b} with {l}",
            "this is a {b} with {l}",
            "a {b} that has {l}",
            "you can see {l} on this {b}",
        )
        return words.one_of(templates).format(b=bird, l=listed) + "."
    templates = (
        "the {b} {c} and has {l}",
        "this {b} {c} and has {l}",
        "a {b} {p}, with {l}",
        "{p}, this {b} shows {l}",
        "there is a {b} {p}, and it has {l}",
        "this {b} with {l} {c}",
    )
    clause, phrase = words.one_of(_CLAUSES[place]), words.one_of(_PHRASES[place])
    return words.one_of(templates).format(b=bird, c=clause, p=phrase, l=listed) + "."


def _choose(facts: BirdFacts, random: np.random.Generator) -> list[Fact]:
    chosen = []
    if facts.distinguishing in facts.visible and random.random() < _DISTINGUISHING_RATE:
        chosen.append(facts.distinguishing)
    names = sorted(facts.visible - {facts.distinguishing})
    varying = facts.varying
    weights = np.array([_weight(facts.attributes[name], name in varying) for name in names])
    number = random.integers(2, _MAX_FACTS + 1) - len(chosen)
    picked = random.choice(len(names), size=number, replace=False, p=weights / weights.sum())
    chosen += [names[i] for i in picked]
    if not set(chosen) - {"place", "size"}:
        chosen[-1] = "crown"
    return [(name, facts.attributes[name]) for name in chosen]


def _weight(value: str, varies: bool) -> float:
    if value in ("no", "plain"):
        return _PLAIN_WEIGHT
    return _VARYING_WEIGHT if varies else 1.0


def _predicates(place: str | None, parts: list[tuple[str, list[str]]], words: _Words) -> str:
    """Writes "the crown of this bird is red and its bill is short and orange."."""
    (first, first_values), *others = parts
    clauses = [f"its {words.predicate(part, values)}" for part, values in others]
    noun, verb = words.subject(first)
    opening = f"the {noun} of this bird {verb} {words.values(first_values, ' and ')}"
    if place is not None:
        clauses.append(f"it {words.one_of(_CLAUSES[place])}")
    return words.listing([opening, *clauses]) + "."


class _Words:
    """Chooses among words that mean the same."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random

    def one_of(self, choices: tuple[str, ...]) -> str:
        return choices[self._random.integers(len(choices))]

    def values(self, values: list[str], joint: str) -> str:
        # The plainest word is the commonest.
        return joint.join(
            VALUE_WORDS[v][0] if self._random.random() < 0.7 else self.one_of(VALUE_WORDS[v]) for v in values
        )

    def subject(self, part: str) -> tuple[str, str]:
        return self.one_of(PART_NOUNS[part]), "are" if part in PLURALS else "is"

    def predicate(self, part: str, values: list[str]) -> str:
        noun, verb = self.subject(part)
        return f"{noun} {verb} {self.values(values, ' and ')}"

    def noun_phrase(self, part: str, values: list[str]) -> str:
        phrase = f"{self.values(values, ' ')} {self.one_of(PART_NOUNS[part])}"
        if part in PLURALS or values == ["no"]:
            return phrase
        return f"an {phrase}" if phrase[0] in "aeiou" else f"a {phrase}"

    def listing(self, items: list[str]) -> str:
        if len(items) < 3:
            return " and ".join(items)
        return ", ".join(items[:-1]) + self.one_of((", and ", " and ")) + items[-1]
