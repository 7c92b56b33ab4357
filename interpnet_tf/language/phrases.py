"""Phrases of sentences: what is said of what, as "red" of "crown"."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from interpnet_tf.language.text import canonical

# Words that end a phrase: determiners, pronouns, prepositions, conjunctions, auxiliaries, and the verbs by
# which sentences present what they describe.
_BETWEEN = frozenset(
    word
    for words in (
        "a an the this that these those it its it's his her their there here and or but with without on",
        "in over at of from to for by as which who whose you i we they can could may also very is are",
        "was were be been has have had having see sees seen show shows showing sit sits sitting stand",
        "stands standing walk walks walking swim swims swimming float floats floating fly flies flying",
        "perch perches perched",
    )
    for word in words.split()
)
_COPULAS = frozenset(("is", "are", "was", "were"))
_TOKEN = re.compile(r"[^\W\d_][\w'\-]*|[,.;]")
_COMPOUND_SHARE, _COMPOUND_COUNT = 0.6, 5


class Phrase(NamedTuple):
    """What is said of something.

    Args:
        head: of what, such as `"crown"` or `"eye ring"`.
        modifier: what, such as `"red"` or `"no"`.
    """

    head: str
    modifier: str

    def __str__(self) -> str:
        return f"{self.modifier} {self.head}"


class PhraseReader:
    """Reads which phrases an English sentence states, with no list of the words of its subject.

    Two forms are read: modifiers before a noun ("a short orange bill") and behind it ("its bill is short and
    orange"). A noun is what ends a run of words that are neither articles, prepositions and the like nor
    punctuation; two words are one noun ("eye ring") where the second has the first before it in most
    sentences. This is no grammar: it misreads now and then, and what is counted over many sentences stands
    above that.

    Args:
        sentences: from which compound nouns are learnt.

    Example:

    >>> reader = PhraseReader(["a bird with a white eye ring."] * 5)
    >>> [str(phrase) for phrase in reader.read("it has no eye ring, and its bill is short and red.")]
    ['no eye ring', 'short bill', 'red bill']
    """

    def __init__(self, sentences: Iterable[str] = ()) -> None:
        before: dict[str, Counter[str]] = defaultdict(Counter)
        for sentence in sentences:
            for run, subject in _runs(sentence):
                if subject is None:
                    before[run[-1]][run[-2] if len(run) > 1 else ""] += 1
        self._first_word = {
            noun: word
            for noun, words in before.items()
            for word, count in words.most_common(1)
            if word and count >= max(_COMPOUND_COUNT, _COMPOUND_SHARE * words.total())
        }

    def read(self, sentence: str) -> tuple[Phrase, ...]:
        """Returns the phrases of a sentence in the order of the sentence, one said twice twice.

        Args:
            sentence: any text.
        """
        phrases: list[Phrase] = []
        whole: dict[str, str] = {}  # nouns of this sentence by their last word
        for run, subject in _runs(sentence):
            *modifiers, head = run if subject is None else (*run, subject)
            if subject is None and modifiers and self._first_word.get(head) == modifiers[-1]:
                whole[head] = f"{modifiers.pop()} {head}"
            head = whole.get(head, head)
            phrases.extend(Phrase(head, modifier) for modifier in modifiers)
        return tuple(phrases)


def places_of(words: Sequence[str], phrases: Sequence[Phrase]) -> list[list[int]]:
    """Returns where the words of phrases stand in the sentence that they were read of.

    A modifier and its noun are the nearest to each other; a modifier belongs to one phrase, a noun may belong
    to several.

    Args:
        words: of the sentence, in lower case.
        phrases: what `PhraseReader.read` returns of it.

    Returns:
        Of each phrase the numbers of its words; none of one that is not there.

    Example:

    >>> words = "a red crown and a red bill".split()
    >>> places_of(words, [Phrase("crown", "red"), Phrase("bill", "red")])
    [[1, 2], [5, 6]]
    """
    taken: set[int] = set()
    found = []
    for phrase in phrases:
        head = phrase.head.split()
        nouns = [end for end, word in enumerate(words) if word == head[-1]]
        modifiers = [at for at, word in enumerate(words) if word == phrase.modifier and at not in taken]
        pairs = [(abs(end - at), at > end, at, end) for end in nouns for at in modifiers if at != end]
        if not pairs:
            found.append([])
            continue
        _, _, at, end = min(pairs)
        taken.add(at)
        whole = end + 1 - len(head)
        first = whole if list(words[max(whole, 0) : end + 1]) == head else end
        found.append(sorted({at, *range(first, end + 1)}))
    return found


def _runs(sentence: str) -> list[tuple[list[str], str | None]]:
    """Returns runs of words, each with the noun that a copula says it of, or with `None`."""
    found: list[tuple[list[str], str | None]] = []
    run: list[str] = []
    subject: str | None = None
    predicated = owner = False
    for token in [*_TOKEN.findall(canonical(sentence)), "."]:
        if token not in _BETWEEN and token not in ",.;":
            run.append(token)
            continue
        if run:
            found.append((run, subject if predicated else None))
            if not (predicated and subject) and not owner:
                subject = run[-1]
            run, owner = [], False
        owner = owner or token == "of"  # in "the crown of this bird is red", the crown is red
        if token in _COPULAS:
            predicated = True
        elif token != "and":
            predicated = False
    return found
