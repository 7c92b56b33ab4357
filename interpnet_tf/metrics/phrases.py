"""What a sentence about a bird claims, as phrases that can be held against a table of attributes."""

from __future__ import annotations

import dataclasses
import functools
import re

from interpnet_tf.language.text import canonical
from interpnet_tf.metrics.bird_words import (
    COLOR_GROUPS,
    COLORS,
    MENTIONS,
    PARTS,
    PATTERN_GROUPS,
    PATTERNS,
    SHAPES,
)

# Several words for one, and words that only say that a colour follows.
_REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[-/]", " "),
        (r"multi colored", "multicolored"),
        (r"\beye ?rings?\b", "eyering"),
        (r"\b(eye ?brows?|brows?|superciliar(y|ies))\b", "eyebrow"),
        (r"\b(eye|cheek|malar) ?(patch|patches|stripe|stripes|line)\b", "eyepatch"),
        (r"\bwing ?bars?\b", "wingbar"),
        (
            r"\bunder ?(side|belly|body|part|parts|carriage)\b|\bunderneath\b|\bventral( side)?\b",
            "underparts",
        ),
        (r"\bupper ?(body|part|parts|side)\b", "upperparts"),
        (r"\b(under ?|upper ?)tail\b", "tail"),
        (r"\b(tail|wing|head|crown|breast|chest|belly|back|neck|body) (feathers?|coverts?|plumage)\b", r"\1"),
        (r"\b(in |of )?colou?r(s|ed|ing|ation)?\b", ""),
        (rf"\b(\w+ish) (?=({'|'.join(COLORS)})\b)", ""),
        (r"\b(shades?|tones?|hues?|mix|mixture|bit|combination|variety) of\b", ""),
    )
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_JOINS = _words("and , or & yet")
_COPULAS = _words("is are was were")
# "Red around the eye" is not of the eye, so that only these lead to the part that is meant.
_PREPOSITIONS = _words("on in over along across at throughout covering covers cover down")
_ARTICLES = _words("a an the its it's his this their")
_NEGATIONS = _words("no not without lacks lacking")
# Words that may stand between a modifier and its part.
_TRANSPARENT = _words(
    "that which very mostly all light dark bright pale deep dull vibrant vivid brilliant soft dirty jet pure "
    "rich slightly completely entirely primarily mainly almost nearly quite rather fairly really somewhat "
    "predominantly predominately also both two some sized size mixed well as pointed pointy sharp thick thin "
    "narrow straight curved curving flat wide skinny round rounded fluffy blunt slender stout broad smooth "
    "webbed beautiful colorful distinct distinctive particular sleek shiny glossy plump fat patch patches "
    "marking markings spot feather feathers accents highlights outer inner upper lower entire whole top "
    "front covered tipped tinted matching downward downwards upward darker lighter royal burnt snow blood s "
    "faint prominent strong sturdy"
)
_SHAPE_WORDS = frozenset(word for word, _ in SHAPES)


@dataclasses.dataclass(frozen=True)
class Phrase:
    """One claim of a sentence.

    Attributes:
        part: of the bird, such as `"bill"`; `"bird"` for the whole.
        word: what is said of it, such as `"red"`.
        attributes: those of CUB-200-2011 any one of which makes it true.
    """

    part: str
    word: str
    attributes: tuple[str, ...]


@functools.lru_cache(maxsize=2**16)
def parse_phrases(sentence: str) -> tuple[Phrase, ...]:
    """Finds what a sentence says of the parts of a bird.

    It reads "a red and black beak", "wings that are black", "yellow crown and breast", "white on its
    belly" and the like, word by word. A claim that no attribute is about ("a pointy beak"), or whose part is
    not said, is passed over: better to miss a phrase than to invent one.

    Args:
        sentence: text of one sentence.

    Returns:
        Its phrases in order, each once.

    Example:

    >>> [(p.part, p.word) for p in parse_phrases("a small bird with a red beak, black crown and wings.")]
    [('bird', 'small'), ('bill', 'red'), ('crown', 'black'), ('wing', 'black')]
    >>> parse_phrases("its belly is white")[0].attributes
    ('has_belly_color::white', 'has_underparts_color::white')
    """
    return _Reader().read(_tokens(sentence))


def _tokens(sentence: str) -> list[str]:
    text = canonical(sentence)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return re.findall(r"[\w']+|[,.;&]", text)


class _Reader:
    """Reads the words of one sentence from left to right."""

    def __init__(self):
        self.phrases: dict[Phrase, None] = {}
        self.pending: list[tuple[str, ...]] = []  # modifiers whose part is to come; adjacent colours are one
        self.boundary = 0  # of the pending ones, those before the last "and" or ","
        self.shared: list[tuple[str, ...]] = []  # those of the last part, for "yellow crown and breast"
        self.last_part: str | None = None
        self.subject: str | None = None  # of "the wings are ..."
        self.listing = False  # there is nothing but "and" or "," since the last part
        self.negated = False

    def read(self, tokens: list[str]) -> tuple[Phrase, ...]:
        previous = ""
        for token, following in zip(tokens, [*tokens[1:], "."], strict=False):
            self._read(token, previous, following)
            previous = token
        self._end_clause()
        return tuple(self.phrases)

    def _read(self, token: str, previous: str, following: str) -> None:
        if token in PARTS and not (token == "feathers" and following in _PREPOSITIONS):
            self._part(token)
        elif token in COLORS or token in PATTERNS or token in _SHAPE_WORDS:
            self.listing = False
            if token in COLORS and previous in COLORS and self.pending:
                self.pending[-1] += (token,)
            else:
                self.pending.append((token,))
        elif token in _JOINS:
            self.boundary = len(self.pending)
            self.listing = self.listing or previous in PARTS
        elif token in _COPULAS:
            self.subject, self.pending, self.boundary, self.listing = self.last_part, [], 0, False
        elif token in _ARTICLES:
            if previous not in _PREPOSITIONS:
                self._end_clause(keep_last_part=True)
                self.negated = previous in _NEGATIONS
            self.listing = False
        elif token in _NEGATIONS:
            self._end_clause()
            self.negated = True
        elif token in _PREPOSITIONS or token in _TRANSPARENT:
            self.listing = False
        else:
            if token in MENTIONS:
                self._mention(token)
            self._end_clause()

    def _part(self, token: str) -> None:
        part = PARTS[token]
        if token in MENTIONS:
            self._mention(token)
        modifiers = self.pending
        if self.subject is not None:
            self._emit(self.subject, self.pending[: self.boundary])
            modifiers = self.pending[self.boundary :]
        if not modifiers and self.listing:
            modifiers = self.shared
        self._emit(part, modifiers)
        self.pending, self.boundary, self.subject = [], 0, None
        self.shared, self.last_part, self.listing = modifiers, part, False
        if token.endswith("ed"):  # "a small yellow-bellied bird": the bird is small
            self.pending = [words for words in modifiers if not _attributes_of_any(words, part)]

    def _end_clause(self, keep_last_part: bool = False) -> None:
        if self.subject is not None:
            self._emit(self.subject, self.pending)
        self.pending, self.boundary, self.subject, self.listing = [], 0, None, False
        if not keep_last_part:
            self.last_part, self.negated = None, False

    def _mention(self, token: str) -> None:
        if not self.negated:
            self.phrases[Phrase("head", token, (MENTIONS[token],))] = None

    def _emit(self, part: str, modifiers: list[tuple[str, ...]]) -> None:
        if self.negated:
            return
        for words in modifiers:
            attributes = _attributes_of_any(words, part)
            if attributes:
                self.phrases[Phrase(part, " ".join(words), attributes)] = None


def _attributes_of_any(words: tuple[str, ...], part: str) -> tuple[str, ...]:
    return tuple(attribute for word in words for attribute in _attributes(word, part))


def _attributes(word: str, part: str) -> tuple[str, ...]:
    """Returns the attributes any of which makes `word` true of `part`."""
    if word in COLORS:
        return tuple(f"has_{group}::{color}" for group in COLOR_GROUPS[part] for color in COLORS[word])
    if word in PATTERNS and part in PATTERN_GROUPS:
        return tuple(f"has_{PATTERN_GROUPS[part]}::{pattern}" for pattern in PATTERNS[word])
    return SHAPES.get((word, part), ())
