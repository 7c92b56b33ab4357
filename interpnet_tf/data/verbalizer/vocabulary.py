"""The vocabulary of a verbalizer: which facts it can say, and in which words."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from interpnet_tf.data.verbalizer.templates import VALUE, Saying

_ARTICLE = re.compile(r"\ban?( ?)$")
# Words that sound otherwise than they are written.
_CONSONANT = re.compile(r"(uni|use|usu|uti|eu|one\b|once\b|ewe)")
_VOWEL = re.compile(r"[aeiou8]|hour|heir|honest|honou?r")
_DETERMINERS = ("", "a", "an", "the", "its", "their", "some")


class Fact(NamedTuple):
    """Something that may be true of an example.

    Args:
        attribute: of what, such as `"has_crown_color"` or `"alcohol"`.
        value: what is said of it, in its plainest word, such as `"red"` or `"high"`.
    """

    attribute: str
    value: str

    def __str__(self) -> str:
        return f"{self.attribute} = {self.value}"


@dataclasses.dataclass(frozen=True)
class Form:
    """A phrase with a place for values.

    Args:
        before: what stands before the values.
        after: what stands behind them.
    """

    before: str
    after: str

    @property
    def kind(self) -> str:
        """`"noun"` ("a … crown"), `"predicate"` ("its crown is …") or `"whole"`, which takes one value."""
        opened = self.before.strip() not in _DETERMINERS
        if self.after.startswith(" ") and not opened:
            return "noun"
        return "predicate" if self.before.endswith(" ") and opened and not self.after else "whole"

    @property
    def noun(self) -> str:
        """What the values are said of, where they stand before it."""
        return self.after.strip() if self.kind == "noun" else ""

    def fill(self, values: str) -> str:
        """Puts values in their place."""
        return f"{before(self.before, values)}{values}{self.after}"


def before(text: str, following: str) -> str:
    """Returns a text whose last word, where it is "a" or "an", is the one that suits what follows.

    Example:

    >>> before("this is a ", "orange bird"), before("an ", "unique bird")
    ('this is an ', 'a ')
    """
    vowel = _VOWEL.match(following.lower()) and not _CONSONANT.match(following.lower())
    return _ARTICLE.sub(r"an\1" if vowel else r"a\1", text)


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Which facts can be said, and how.

    Args:
        subject: what the examples are.
        frames: of sentences, see `Templates`.
        forms: of each attribute; attributes with the same ones are said together.
        words: of each fact, the plainest first.
        sources: of each fact, the values of its attribute that make it true.

    Example:

    >>> sayings = {"size": Saying(("a {value} bird",), {"S": ("small",), "XS": ("small", "tiny")})}
    >>> vocabulary = Vocabulary.of("bird", ["a {subject}."], sayings)
    >>> [(fact.value, sources) for fact, sources in vocabulary.sources.items()]
    [('small', ('S', 'XS')), ('tiny', ('XS',))]
    """

    subject: str
    frames: tuple[str, ...]
    forms: Mapping[str, tuple[Form, ...]]
    words: Mapping[Fact, tuple[str, ...]]
    sources: Mapping[Fact, tuple[str, ...]]

    @classmethod
    def of(cls, subject: str, frames: Sequence[str], sayings: Mapping[str, Saying]) -> Vocabulary:
        """Makes the vocabulary of sayings, whose words are all given."""
        words: dict[Fact, tuple[str, ...]] = {}
        sources: dict[Fact, tuple[str, ...]] = {}
        for attribute, saying in sayings.items():
            values_of: dict[str, list[str]] = {}
            for value, texts in saying.words.items():
                for text in texts:
                    values_of.setdefault(text, []).append(value)
            for values in dict.fromkeys(map(tuple, values_of.values())):
                same = tuple(text for text, meant in values_of.items() if tuple(meant) == values)
                words[Fact(attribute, same[0])] = same
                sources[Fact(attribute, same[0])] = values
        forms = {name: tuple(map(_form, saying.phrases)) for name, saying in sayings.items()}
        return cls(subject, tuple(frames), forms, words, sources)


def _form(phrase: str) -> Form:
    return Form(*phrase.split(VALUE))
