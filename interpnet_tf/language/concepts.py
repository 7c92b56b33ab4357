"""Concepts: what people say of examples, with the words that mean the same put together."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np

from interpnet_tf.language.phrases import Phrase, PhraseReader

# Two phrases mean the same if they are said of the same examples, this near to how one phrase is said again
# by other sentences, and a sentence hardly ever holds both: fewer than this share of what chance would make.
_LEAST_ALIKE, _MOST_TOGETHER, _LEAST_EVIDENCE = 0.6, 0.15, 3.0
# Two concepts about the same noun are alternatives if examples of which both are said are this rare.
_MOST_SHARED = 0.5
# Two nouns are one thing if they mean the same in so many concepts.
_LEAST_SHARED = 2


@dataclasses.dataclass(frozen=True)
class Concepts:
    """What the sentences of a data set speak of, learnt from the sentences alone.

    Phrases that mean the same are one concept: "short bill" and "short beak" are said of the same birds, and
    never in the same sentence. Concepts about the same noun that are hardly ever said of the same example are
    alternatives: "red crown" and "blue crown".

    Args:
        reader: reads the phrases.
        phrases: of each concept, the commonest first.
        alternatives: ids of the concepts that each could be exchanged for, the commonest first.
        mentions: whether a sentence of the example states the concept, bool `(examples, concepts)`.

    Example:

    >>> red = ["a red bird.", "this bird is red.", "a crimson bird.", "this bird is crimson."]
    >>> birds = [red, ["a blue bird.", "this bird is blue."]] * 10
    >>> concepts = Concepts.learn(birds)
    >>> concepts.names
    ['red bird', 'blue bird']
    >>> concepts.read("a crimson bird.")
    (0,)
    >>> concepts.alternatives
    ((1,), (0,))
    """

    reader: PhraseReader
    phrases: tuple[tuple[Phrase, ...], ...]
    alternatives: tuple[tuple[int, ...], ...]
    mentions: np.ndarray

    def __post_init__(self) -> None:
        number = {phrase: concept for concept, of_one in enumerate(self.phrases) for phrase in of_one}
        object.__setattr__(self, "_number", number)

    def __len__(self) -> int:
        return len(self.phrases)

    @property
    def names(self) -> list[str]:
        """The commonest phrase of each."""
        return [str(of_one[0]) for of_one in self.phrases]

    @property
    def nouns(self) -> list[str]:
        """What each is about; nouns that mean the same in several concepts, as bill and beak, are one."""
        shared: Counter[tuple[str, ...]] = Counter()
        counts: Counter[str] = Counter()
        for of_one in self.phrases:
            heads = sorted({phrase.head for phrase in of_one})
            counts.update(heads)
            shared.update(itertools.combinations(heads, 2))
        stands_for = {head: head for head in counts}
        for pair, count in shared.items():
            if count >= _LEAST_SHARED:
                named = [stands_for[head] for head in pair]
                kept, merged = sorted(named, key=lambda head: (-counts[head], head))
                stands_for = {head: kept if of == merged else of for head, of in stands_for.items()}
        return [stands_for[of_one[0].head] for of_one in self.phrases]

    def read(self, sentence: str) -> tuple[int, ...]:
        """Returns the ids of the concepts that a sentence states, each once, in the order of the sentence.

        Args:
            sentence: any text.
        """
        return tuple(dict.fromkeys(self.read_all(sentence)))

    def read_all(self, sentence: str) -> tuple[int, ...]:
        """Returns what `read` does, with what is said twice standing twice.

        Args:
            sentence: any text.
        """
        found = (self.number_of(phrase) for phrase in self.reader.read(sentence))
        return tuple(concept for concept in found if concept is not None)

    def number_of(self, phrase: Phrase) -> int | None:
        """Returns the concept that a phrase states; `None` where it is none."""
        return self._number.get(phrase)

    def mentioned(self, explanations: Sequence[Sequence[str]]) -> np.ndarray:
        """Returns whether a sentence of each example states each concept, bool `(examples, concepts)`.

        Args:
            explanations: the sentences of each example.
        """
        mentions = np.zeros((len(explanations), len(self)), bool)
        for row, sentences in enumerate(explanations):
            for sentence in sentences:
                mentions[row, list(self.read(sentence))] = True
        return mentions

    def known(self, mentions: np.ndarray) -> np.ndarray:
        """Returns what sentences tell of each example: whether it has each concept, as far as is known.

        Where neither a concept nor an alternative is stated, as where no sentence speaks of the crown,
        nothing is known of it, which is not the same as that it is absent. There stands the share of the
        examples that have it among those of which something is known.

        Args:
            mentions: whether the concept is stated, bool `(examples, concepts)`.

        Returns:
            float64 `(examples, concepts)`: 1 where a concept is stated, 0 where only alternatives are, the
            share where nothing is known. A concept without alternatives is absent where it is not stated.
        """
        known = mentions.astype("float64")
        for concept, others in enumerate(self.alternatives):
            told = mentions[:, [concept, *others]].any(axis=1)
            if others and told.any():
                known[~told, concept] = mentions[told, concept].mean()
        return known

    @classmethod
    def learn(cls, explanations: Sequence[Sequence[str]], minimum_count: int = 10) -> Concepts:
        """Learns concepts.

        Args:
            explanations: the sentences of each example; several of an example are needed to find words that
                mean the same.
            minimum_count: sentences that state a phrase; rarer ones are no concept.

        Returns:
            `Concepts`, none if no phrase is said often enough.
        """
        reader = PhraseReader(sentence for of_one in explanations for sentence in of_one)
        read = [
            [tuple(dict.fromkeys(reader.read(sentence))) for sentence in of_one] for of_one in explanations
        ]
        phrases = _modifying([phrase for of_one in read for said in of_one for phrase in said], minimum_count)
        number = {phrase: index for index, phrase in enumerate(phrases)}
        counts = np.zeros((len(read), len(phrases)))
        together = np.zeros((len(phrases), len(phrases)))
        for row, of_one in enumerate(read):
            for said in of_one:
                known = [number[phrase] for phrase in said if phrase in number]
                counts[row, known] += 1
                together[np.ix_(known, known)] += 1
        sentences = np.array([max(len(of_one), 1) for of_one in read])
        groups = _same_meaning(phrases, counts, together, sentences)
        mentions = (
            np.stack([counts[:, group].any(axis=1) for group in groups], axis=1) if groups else counts > 0
        )
        of_groups = tuple(tuple(phrases[index] for index in group) for group in groups)
        return cls(reader, of_groups, _alternatives(of_groups, mentions), mentions)


def _modifying(said: list[Phrase], minimum_count: int) -> list[Phrase]:
    """Returns the phrases that are said often and whose modifier is no noun misread, the commonest first."""
    heads = Counter(phrase.head for phrase in said)
    modifiers = Counter(phrase.modifier for phrase in said)
    return [
        phrase
        for phrase, count in Counter(said).most_common()
        if count >= minimum_count and heads[phrase.modifier] < modifiers[phrase.modifier]
    ]


def _same_meaning(
    phrases: Sequence[Phrase], counts: np.ndarray, together: np.ndarray, sentences: np.ndarray
) -> list[list[int]]:
    """Merges phrases that mean the same, the most alike first.

    Args:
        phrases: the phrases.
        counts: sentences of each example that state each phrase, `(examples, phrases)`.
        together: sentences that state both of two phrases, `(phrases, phrases)`.
        sentences: of each example, `(examples,)`.

    Returns:
        Groups of phrases.
    """
    # How often two would meet in a sentence if each sentence chose anew among what is said of the example;
    # on the diagonal, how often a phrase meets itself in another sentence.
    per_sentence = counts / sentences[:, None]
    expected = per_sentence.T @ counts
    np.fill_diagonal(expected, expected.diagonal() - per_sentence.sum(axis=0))
    related = np.array([bool({*one} & {*other}) for one in phrases for other in phrases], bool)
    together, related = together.copy(), related.reshape(len(phrases), len(phrases))
    groups = [[index] for index in range(len(phrases))]
    alike = _likeness(expected, expected.diagonal()[:, None], expected.diagonal(), together, related)
    np.fill_diagonal(alike, 0)
    while alike.size and alike.max() > 0:
        kept, merged = sorted(divmod(int(alike.argmax()), len(alike)))
        groups[kept] += groups[merged]
        groups[merged] = []
        for table in (together, expected, related):
            table[kept] += table[merged]
            table[:, kept] += table[:, merged]
            table[merged] = table[:, merged] = 0
        own = expected.diagonal()
        row = _likeness(expected[kept], own[kept], own, together[kept], related[kept])
        row[kept] = 0
        alike[kept] = alike[:, kept] = row
        alike[merged] = alike[:, merged] = 0
    return [group for group in groups if group]


def _likeness(
    expected: np.ndarray, own: np.ndarray, others: np.ndarray, together: np.ndarray, related: np.ndarray
) -> np.ndarray:
    """Returns how alike the examples are of which two phrases are said, from 0; 0 where both may be meant."""
    norms = np.sqrt(np.maximum(own * others, 0))
    likeness = np.divide(expected, norms, out=np.zeros_like(expected), where=norms > 0)
    mean_the_same = (
        related
        & (likeness >= _LEAST_ALIKE)
        & (expected >= _LEAST_EVIDENCE)
        & (together <= _MOST_TOGETHER * expected)
    )
    return np.where(mean_the_same, likeness, 0)


def _alternatives(
    phrases: tuple[tuple[Phrase, ...], ...], mentions: np.ndarray
) -> tuple[tuple[int, ...], ...]:
    heads = [{phrase.head for phrase in of_one} for of_one in phrases]
    share_head = np.array([bool(one & other) for one in heads for other in heads], bool)
    share_head = share_head.reshape(len(heads), len(heads))
    counts = mentions.T.astype("float64") @ mentions
    totals = counts.diagonal()
    result = []
    for concept in range(len(phrases)):
        near = np.flatnonzero(share_head[concept])
        spoken_of = mentions[:, near].any(axis=1).sum()  # examples of which anything is said about the noun
        rare = counts[concept, near] < _MOST_SHARED * totals[concept] * totals[near] / max(spoken_of, 1)
        others = [other for other in near[rare] if other != concept]
        result.append(tuple(sorted(map(int, others), key=lambda other: -totals[other])))
    return tuple(result)
