"""Reading: a sentence back into the facts that it states."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import regex

from interpnet_tf.data.verbalizer.templates import PHRASES, SUBJECT
from interpnet_tf.data.verbalizer.vocabulary import Fact, Form, Vocabulary
from interpnet_tf.language.text import TOKEN, canonical

_TOKENS = regex.compile(TOKEN)
_ARTICLES = frozenset(("a", "an", "the", "its", "their", "this", "these", "some"))
_JOINS = frozenset(("and", "or", ","))
_COPULAS = frozenset(("is", "are"))
_NEGATIONS = frozenset(("no", "not", "without", "never", "nor", "neither", "lacks", "lacking"))
# Words that state nothing and end a phrase, beside those of the frames.
_GLUE = frozenset(
    ("it", "is", "are", "was", "were", "has", "have", "having", "had", "with", "that", "which", "there")
    + ("in", "on", "of")
)


class Reading(NamedTuple):
    """What a sentence says.

    Args:
        facts: that it states, each once, in the order in which they are said.
        unknown: phrases that state something which the verbalizer never says.
    """

    facts: tuple[Fact, ...]
    unknown: tuple[str, ...]


@dataclasses.dataclass
class _Lexeme:
    """What a run of words means: something that values are said of, before it or behind, or a whole fact."""

    text: str
    nouns: dict[str, Fact] = dataclasses.field(default_factory=dict)
    predicates: dict[str, Fact] = dataclasses.field(default_factory=dict)
    whole: Fact | None = None
    is_value: bool = False
    is_noun: bool = False


class Reader:
    """Reads sentences in the words of a vocabulary, in whatever combination.

    Values are read before what they are said of ("a short black bill"), behind it ("its bill is short and
    black"), and of several things at once ("a white throat and belly").

    Args:
        vocabulary: the words.

    Raises:
        ValueError: if two facts are said alike.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._lexemes: dict[tuple[str, ...], _Lexeme] = {}
        self._subject = tokens(vocabulary.subject)
        self._lexeme(self._subject).is_noun = True
        for fact, words in vocabulary.words.items():
            for form in vocabulary.forms[fact.attribute]:
                for word in words:
                    self._learn(form, fact, word)
        frames = " ".join(vocabulary.frames).replace(SUBJECT, " ").replace(PHRASES, " ")
        self._glue = (_GLUE | set(tokens(frames))) - _JOINS - _NEGATIONS
        self._longest_first: dict[str, list[tuple[tuple[str, ...], _Lexeme]]] = {}
        for key in sorted(self._lexemes, key=len, reverse=True):
            self._longest_first.setdefault(key[0], []).append((key, self._lexemes[key]))

    def read(self, sentence: str) -> Reading:
        """Reads one sentence, of whatever grammar."""
        words, parse, position = tokens(sentence), _Parse(), 0
        while position < len(words):
            word = words[position]
            for key, lexeme in self._longest_first.get(word, ()):
                if words[position : position + len(key)] == key:
                    parse.lexeme(lexeme, words[position - 1] in _ARTICLES if position else False)
                    position += len(key)
                    break
            else:
                position += 1
                if word in _JOINS:
                    parse.join()
                elif word in _ARTICLES:
                    parse.article()
                elif word in self._glue or not word[0].isalnum():
                    parse.end()
                else:
                    parse.value(word, known=False)
        parse.end()
        return Reading(tuple(parse.facts), tuple(parse.unknown))

    def _lexeme(self, key: tuple[str, ...]) -> _Lexeme:
        if not key:
            raise ValueError("a name, a value or a phrase has no word that could be read; rename it")
        return self._lexemes.setdefault(key, _Lexeme(" ".join(key)))

    def _learn(self, form: Form, fact: Fact, word: str) -> None:
        if form.kind == "whole":
            for lexeme in self._lexemes_of(form.fill(word)):
                if lexeme.whole not in (None, fact):
                    raise ValueError(_ambiguous(lexeme.text, lexeme.whole, fact))
                lexeme.whole = fact
            return
        value = tokens(word)
        self._lexeme(value).is_value = True
        if form.kind == "noun":
            lexeme = self._lexeme(tokens(form.after))
            lexeme.is_noun = True
            meant = [lexeme.nouns]
        else:
            meant = [lexeme.predicates for lexeme in self._lexemes_of(form.before)]
        for facts in meant:
            if facts.setdefault(" ".join(value), fact) != fact:
                raise ValueError(_ambiguous(form.fill(word), facts[" ".join(value)], fact))

    def _lexemes_of(self, text: str) -> list[_Lexeme]:
        """Returns what a phrase or its beginning goes by: "it is" of the subject is "the bird is" too.

        Values before "crown is" are said of the crown: "this small bird is black".
        """
        key = tokens(text)
        key = key[1:] if len(key) > 1 and key[0] in _ARTICLES else key
        key = key[:-1] if len(key) > 1 and key[-1] in _ARTICLES else key  # "it lives in the …"
        if key[0] != "it":
            heads = {key: key[:-1] if key[-1] in _COPULAS else ()}
        else:
            heads = {key: (), (*self._subject, *key[1:]): self._subject}
        for of_it, head in heads.items():
            if head:
                noun = self._lexeme(head)
                noun.is_noun, self._lexeme(of_it).nouns = True, noun.nouns
        return [self._lexeme(one) for one in heads]


class _Parse:
    """The state of reading one sentence from left to right."""

    def __init__(self) -> None:
        self.facts: dict[Fact, None] = {}
        self.unknown: dict[str, None] = {}
        self._values: list[str] = []  # read, and not yet said of anything
        self._boundary = 0  # of the values, those before the last "and" or ","
        self._ends_in_known = True
        self._subject: _Lexeme | None = None  # of "its bill is …"
        self._shared: list[str] = []  # values of the last noun, for "a white throat and belly"
        self._listing = False  # there is nothing but "and" or "," since that noun

    def lexeme(self, lexeme: _Lexeme, has_article: bool) -> None:
        inherits = self._listing and self._shared and not self._values and not has_article
        if lexeme.whole is not None and not (lexeme.is_noun and (self._values or inherits)):
            self._whole(lexeme)
        elif lexeme.predicates:
            self._noun(lexeme) if self._values and self._subject is None and lexeme.nouns else self.end()
            self._subject = lexeme
        elif lexeme.is_noun and (self._values or inherits or not lexeme.is_value):
            self._noun(lexeme, inherits)
        elif lexeme.is_value:
            self.value(lexeme.text)
        else:
            self.end()

    def value(self, word: str, known: bool = True) -> None:
        self._values.append(word)
        self._ends_in_known = known or word in _NEGATIONS
        self._listing, self._shared = False, []

    def join(self) -> None:
        if self._values and not self._ends_in_known and self._subject is None:
            self.end()  # a noun that nobody knows, in "a white chin, black wings"
        self._boundary = len(self._values)
        self._listing = bool(self._shared)

    def article(self) -> None:
        if self._values and self._values[-1] not in _NEGATIONS:
            self.end()
        self._listing, self._shared = False, []

    def end(self) -> None:
        """Ends a phrase: what was read is said of the subject, where there is one."""
        self._state(self._values, self._subject, "predicates")
        self._values, self._boundary, self._subject = [], 0, None
        self._listing, self._shared = False, []

    def _noun(self, lexeme: _Lexeme, inherits: bool = False) -> None:
        values = self._shared if inherits else self._values
        if self._subject is not None:
            self._state(values[: self._boundary], self._subject, "predicates")
            values = values[self._boundary :]
        self._state(values, lexeme, "nouns")
        self._values, self._boundary, self._subject = [], 0, None
        self._listing, self._shared = False, values

    def _whole(self, lexeme: _Lexeme) -> None:
        values = self._values[self._boundary :]
        self._values = self._values[: self._boundary]
        self.end()
        self._state(values, lexeme, "nouns")
        if not _NEGATIONS & set(values):
            self.facts[lexeme.whole] = None

    def _state(self, values: list[str], lexeme: _Lexeme | None, position: str) -> None:
        """Gives values to what they are said of; those that are never said of it are unknown."""
        known = {} if lexeme is None else getattr(lexeme, position)
        if any(value in _NEGATIONS and value not in known for value in values):
            known = {}
        self.facts.update(dict.fromkeys(known[value] for value in values if value in known))
        strange = [value for value in values if value not in known]
        if strange:
            said = [] if lexeme is None else [lexeme.text]
            order = [*said, *strange] if position == "predicates" else [*strange, *said]
            self.unknown[" ".join(order)] = None


def tokens(text: str) -> tuple[str, ...]:
    """Cuts a text into words and punctuation marks, as an explainer that learnt it would."""
    return tuple(_TOKENS.findall(canonical(text)))


def _ambiguous(text: str, one: Fact, other: Fact) -> str:
    return (
        f"{text!r} says both {one} and {other}, so that a reader cannot tell which; give one of them other "
        "words in the templates"
    )
