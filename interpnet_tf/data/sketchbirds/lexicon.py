"""The words for birds, and `parse_facts`, which reads a sentence back into the facts it states.

A fact is a pair (attribute, value). The colour of a part goes by the name of the part, other attributes
by part and kind: `("crown", "red")`, `("bill", "orange")`, `("bill_shape", "hooked")`. The value `"no"`
says that the bird lacks the part: `("eye_ring", "no")`.
"""

from __future__ import annotations

import re

from interpnet_tf.language.text import canonical

Fact = tuple[str, str]

# Every value and its ways to be said, the plainest first.
_SHAPES = {"short": (), "long": (), "hooked": ("curved",), "forked": ("notched",)}
_PATTERNS = {"plain": (), "streaked": ("striped",), "spotted": ("speckled",)}
_SIZES = {"small": ("little",), "large": ("big",)}
_COLOURS = dict.fromkeys(
    ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey"), ()
)
_KINDS = {"shape": _SHAPES, "pattern": _PATTERNS, "size": _SIZES, "colour": _COLOURS, "presence": {"no": ()}}

VALUE_WORDS = {value: (value, *others) for kind in _KINDS.values() for value, others in kind.items()}

# A tuple of words is one noun. Plural nouns take no article and "are".
PART_NOUNS = {
    "bird": ("bird",),
    "bill": ("bill", "beak"),
    "crown": ("crown", "cap"),
    "cheek": ("cheek patch", "cheek spot"),
    "eye_ring": ("eye ring",),
    "breast": ("breast", "chest"),
    "belly": ("belly", "abdomen"),
    "wings": ("wings",),
    "wing_bars": ("wing bars", "wingbars"),
    "tail": ("tail",),
    "legs": ("legs", "feet"),
}
PLURALS = {"wings", "wing_bars", "legs"}

PLACE_WORDS = {
    "branch": ("branch", "twig"),
    "ground": ("ground",),
    "water": ("water", "pond"),
    "air": ("air", "flies", "flying", "flight"),
}

_KIND_OF = {value: kind for kind, values in _KINDS.items() for value in values}
_VALUE_OF = {word: value for value, words in VALUE_WORDS.items() for word in words}
_PLACE_OF = {word: place for place, words in PLACE_WORDS.items() for word in words}
_PART_OF = {noun: part for part, nouns in PART_NOUNS.items() for noun in nouns}
# Longest first: "wing bars" is not about "wings", and "cheek patch" is one noun.
_TOKEN = re.compile(r"\b(?:" + "|".join(sorted(_PART_OF, key=len, reverse=True)) + r")\b|[a-z]+|[,.]")
_OWNER = re.compile(r"\bof (?:this|the|a) bird\b")  # in "the crown of this bird is red", the crown is red


def attribute_of(part: str, value: str) -> str:
    """Returns the name of the attribute that `value` is a value of, said about `part`."""
    kind = _KIND_OF[value]
    if kind in ("colour", "presence"):
        return part
    return "size" if (part, kind) == ("bird", "size") else f"{part}_{kind}"


def part_of(attribute: str) -> str:
    """Returns the part of the bird that carries an attribute: the bill carries `"bill_shape"`."""
    return "bird" if attribute == "size" else re.sub(r"_(shape|pattern)$", "", attribute)


def parse_facts(sentence: str) -> set[Fact]:
    """Reads a sentence back into the facts that it states, true or not.

    Synonyms are folded. Two forms are understood: values before a part ("a short orange bill") and after
    it ("its bill is short and orange"). A statement that no bird fits ("a forked belly") is a fact too.

    Args:
        sentence: any text; words that state nothing about a bird are passed over.

    Returns:
        A set of (attribute, value) pairs.

    Example:

    >>> sorted(parse_facts("a small bird with a short orange beak, its cap is red."))
    [('bill', 'orange'), ('bill_shape', 'short'), ('crown', 'red'), ('size', 'small')]
    """
    facts: set[Fact] = set()
    values: list[str] = []  # read, and not yet given to a part
    noun = subject = None

    def state(part: str | None) -> None:
        if part is not None:
            facts.update((attribute_of(part, value), value) for value in values)
        values.clear()

    for token in [*_TOKEN.findall(_OWNER.sub("", canonical(sentence))), "."]:
        if token in _VALUE_OF:
            values.append(_VALUE_OF[token])
        elif token in _PART_OF:
            noun, subject = _PART_OF[token], None
            state(noun)
        elif token in ("is", "are"):
            subject = noun
        else:
            state(subject)
            if token != "and":
                noun = subject = None
            if token in _PLACE_OF:
                facts.add(("place", _PLACE_OF[token]))
    return facts
