"""Writing: facts into one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from interpnet_tf.data.verbalizer.templates import PHRASES, SUBJECT
from interpnet_tf.data.verbalizer.vocabulary import Fact, Form, Vocabulary, before

Choice = TypeVar("Choice")

# How often the plainest of several words or phrases is chosen, before chance chooses among all.
_PLAINEST = 0.5


class Writer:
    """Writes sentences in the words of a vocabulary.

    Values of one thing are put together ("a short black bill"), and so are things of which the same is said
    ("a white throat and belly").

    Args:
        vocabulary: the words.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._order = {attribute: number for number, attribute in enumerate(vocabulary.forms)}
        self._nouns = {
            forms: tuple(form for form in forms if form.kind == "noun") or forms
            for forms in vocabulary.forms.values()
        }

    def write(self, facts: Sequence[Fact], random: np.random.Generator) -> str:
        """Writes one sentence that states the given facts.

        Args:
            facts: one or more of the vocabulary, in the order in which things are to be named.
            random: of the words.

        Returns:
            A sentence that ends in `"."`.
        """
        wording = _Wording(self._vocabulary, random)
        adjectives: list[str] = []  # of the subject
        phrases: dict[str, list[str]] = {}  # things by what is said of them: "a red" of crown and nape
        clauses: list[str] = []
        parts = self._parts(facts)
        # One clause is enough in a sentence: other parts are named in noun phrases, where they have any.
        clause = random.integers(len(parts))
        for number, (forms, said) in enumerate(parts.items()):
            form = wording.one_of(forms if number == clause else self._nouns[forms])
            words = [[wording.word(fact) for fact in of_attribute] for of_attribute in said]
            if form.kind == "noun":
                values = " ".join(map(wording.listing, words))
                if form.noun == self._vocabulary.subject:
                    adjectives.append(values)
                else:
                    phrases.setdefault(before(form.before, values) + values, []).append(form.noun)
                continue
            values = [word for of_attribute in words for word in of_attribute]
            for text in map(form.fill, values if form.kind == "whole" else [wording.listing(values)]):
                if text.startswith(("it ", "its ")):
                    clauses.append(text)
                else:
                    phrases[text] = []
        # What takes no values comes first, so that "cork and low alcohol" does not say that the cork is low.
        whole_first = sorted(phrases.items(), key=lambda phrase: bool(phrase[1]))
        texts = [f"{text} {wording.listing(things)}" if things else text for text, things in whole_first]
        return self._sentence(" ".join([*adjectives, self._vocabulary.subject]), texts, clauses, wording)

    def _parts(self, facts: Sequence[Fact]) -> dict[tuple[Form, ...], list[list[Fact]]]:
        """Returns the facts by the forms that they are said in, then by attribute."""
        parts: dict[tuple[Form, ...], dict[str, list[Fact]]] = {}
        for fact in facts:
            of_part = parts.setdefault(self._vocabulary.forms[fact.attribute], {})
            of_part.setdefault(fact.attribute, []).append(fact)
        return {
            forms: [of_part[name] for name in sorted(of_part, key=self._order.__getitem__)]
            for forms, of_part in parts.items()
        }

    def _sentence(self, subject: str, phrases: list[str], clauses: list[str], wording: _Wording) -> str:
        plain = subject == self._vocabulary.subject
        if not phrases and plain:
            opening = re.sub(r"^it(?= )", f"this {subject}", wording.listing(clauses))
            return f"{opening}."
        frames = [
            frame
            for frame in self._vocabulary.frames
            if bool(phrases) <= frame.count(PHRASES) <= len(phrases) and (plain or SUBJECT in frame)
        ]
        opening, *rest = wording.one_of(frames, plainest=0).split(PHRASES)
        for slot, following in enumerate(rest):
            share = phrases[slot * len(phrases) // len(rest) : (slot + 1) * len(phrases) // len(rest)]
            opening = before(opening, share[0]) + wording.listing(share) + following
        start, _, end = opening.partition(SUBJECT)
        text = before(start, subject) + subject + end if SUBJECT in opening else opening
        return ", and ".join([text.rstrip("."), *([wording.listing(clauses)] if clauses else [])]) + "."


class _Wording:
    """Chooses the words of one sentence; the same fact of two things is said in the same word."""

    def __init__(self, vocabulary: Vocabulary, random: np.random.Generator) -> None:
        self._vocabulary, self._random = vocabulary, random
        self._chosen: dict[tuple[str, ...], str] = {}

    def one_of(self, choices: Sequence[Choice], plainest: float = _PLAINEST) -> Choice:
        if len(choices) == 1 or self._random.random() < plainest:
            return choices[0]
        return choices[self._random.integers(len(choices))]

    def word(self, fact: Fact) -> str:
        words = self._vocabulary.words[fact]
        if words not in self._chosen:
            self._chosen[words] = self.one_of(words)
        return self._chosen[words]

    def listing(self, items: list[str]) -> str:
        last = ", and " if len(items) > 1 and any(" and " in item for item in items) else " and "
        if len(items) < 3:
            return last.join(items)
        return ", ".join(items[:-1]) + (last if self._random.random() < 0.5 else ", and ") + items[-1]
