"""Scores of what explanations say, where the truth is known: how much of it is right.

A fact is a pair such as `("crown", "red")`, read from a sentence by `parse_facts` of sketchbirds. A score
that n-grams give is high for a fluent sentence about any bird of the species; these are not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from interpnet_tf.data.sketchbirds import BirdFacts, parse_facts


def attribute_precision(sentences: Sequence[str], facts: Sequence[BirdFacts]) -> float:
    """Share of the facts said that are true of their picture, over all sentences.

    A fact about a hidden part is judged by the truth about the bird: a guess may be right.

    Args:
        sentences: one a picture.
        facts: the truth, one record a picture.

    Returns:
        A share between 0 and 1; nan where no sentence states a fact.

    Raises:
        ValueError: if there is not one sentence a record.

    Example:

    >>> from interpnet_tf.data.sketchbirds import BirdFacts
    >>> bird = BirdFacts("Alder Tolwit", {"crown": "red", "legs": "black"}, frozenset({"crown"}))
    >>> attribute_precision(["this bird has a red crown and orange legs."], [bird])
    0.5
    """
    pairs = _read(sentences, facts)
    return _share(sum(len(_true(said, bird)) for said, bird in pairs), sum(len(said) for said, _ in pairs))


def attribute_recall(sentences: Sequence[str], facts: Sequence[BirdFacts]) -> float:
    """Share of the visible facts of the pictures that their sentences say.

    A sentence of human length names a few of a dozen facts, so that this is far below 1 for good
    sentences too: compare with the recall of the human sentences.

    Args:
        sentences: one a picture.
        facts: the truth, one record a picture.

    Returns:
        A share between 0 and 1; nan where nothing is visible.

    Raises:
        ValueError: if there is not one sentence a record.
    """
    pairs = _read(sentences, facts)
    return _share(
        sum(len(said & bird.visible_facts) for said, bird in pairs),
        sum(len(bird.visible) for _, bird in pairs),
    )


def distinguishing_rate(sentences: Sequence[str], facts: Sequence[BirdFacts]) -> float:
    """Share of the birds with a twin species whose sentence says, rightly, what tells the two apart.

    A sentence that states two values of the attribute ("a red crown and a black crown") does not.

    Args:
        sentences: one a picture.
        facts: the truth, one record a picture.

    Returns:
        A share between 0 and 1; nan where no bird's species has a twin.

    Raises:
        ValueError: if there is not one sentence a record.
    """
    pairs = [(said, bird) for said, bird in _read(sentences, facts) if bird.distinguishing is not None]
    right = sum(
        {value for name, value in said if name == bird.distinguishing}
        == {bird.attributes[bird.distinguishing]}
        for said, bird in pairs
    )
    return _share(right, len(pairs))


def varying_precision(sentences: Sequence[str], facts: Sequence[BirdFacts]) -> float:
    """`attribute_precision` of the attributes that vary within the species of each picture.

    They cannot be told from the species: a decoder that sees class probabilities alone can only guess.

    Args:
        sentences: one a picture.
        facts: the truth, one record a picture.

    Returns:
        A share between 0 and 1; nan where no sentence states such a fact.

    Raises:
        ValueError: if there is not one sentence a record.
    """
    pairs = [(_varying(said, bird), bird) for said, bird in _read(sentences, facts)]
    return _share(sum(len(_true(said, bird)) for said, bird in pairs), sum(len(said) for said, _ in pairs))


def varying_coverage(sentences: Sequence[str], facts: Sequence[BirdFacts]) -> float:
    """Share of the visible attributes that vary within a species of which the sentences speak at all.

    Read beside `varying_precision`: who hardly speaks of them is easily precise.

    Args:
        sentences: one a picture.
        facts: the truth, one record a picture.

    Returns:
        A share between 0 and 1; nan where no such attribute is visible.

    Raises:
        ValueError: if there is not one sentence a record.
    """
    pairs = [(said, bird.varying & bird.visible) for said, bird in _read(sentences, facts)]
    return _share(
        sum(len({name for name, _ in said} & visible) for said, visible in pairs),
        sum(len(visible) for _, visible in pairs),
    )


def score_facts(sentences: Sequence[str], facts: Sequence[BirdFacts]) -> dict[str, float]:
    """Computes every score of this module.

    Args:
        sentences: one a picture.
        facts: the truth, one record a picture.

    Returns:
        A dict from the name of a score to its value between 0 and 1, nan where nothing applies.

    Raises:
        ValueError: if there is not one sentence a record.

    Example:

    >>> from interpnet_tf.data import sketchbirds
    >>> birds = sketchbirds.load("test", per_species=1)
    >>> scores = score_facts([sentences[0] for sentences in birds.explanations], birds.facts)
    >>> scores["attribute_precision"]  # the reference sentences tell the truth
    1.0
    """
    scores = (attribute_precision, attribute_recall, distinguishing_rate, varying_precision, varying_coverage)
    return {score.__name__: score(sentences, facts) for score in scores}


def _read(sentences: Sequence[str], facts: Sequence[BirdFacts]) -> list[tuple[set, BirdFacts]]:
    if isinstance(sentences, str):
        raise ValueError(
            f"sentences must be a sequence of sentences, one a record, got the text {sentences!r}"
        )
    if len(sentences) != len(facts):
        raise ValueError(
            f"sentences and facts must be of one length, got {len(sentences)} and {len(facts)}; repeat a "
            "record to judge several sentences about one picture"
        )
    return [(parse_facts(sentence), bird) for sentence, bird in zip(sentences, facts, strict=True)]


def _true(said: set, bird: BirdFacts) -> set:
    return said & bird.attributes.items()


def _varying(said: set, bird: BirdFacts) -> set:
    return {(name, value) for name, value in said if name in bird.varying}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
