"""The one form in which sentences are learnt, said and compared: how text is normalised, cut and spelled.

The tokenizer does the same inside a graph, with the patterns of this module: they mean the same to RE2.
"""

from __future__ import annotations

import functools
import re
import unicodedata

import regex

_CHARACTER = r"[\p{L}\p{M}\p{N}]"
# The zero-width non-joiner and joiner are spelling within a word, as in Persian, and nothing elsewhere.
_JOINERS = "\u200c\u200d"
_APOSTROPHE = "\u2019"
# A word is a run of letters, marks and digits, which may hold inner hyphens, apostrophes, joiners and decimal
# points ("black-footed", "bird's", "2.5"), or a run of single letters with points ("e.g."). Every other
# character that is not a space is punctuation.
TOKEN = (
    rf"(?:\p{{L}}\.){{2,}}|{_CHARACTER}+(?:['{_APOSTROPHE}{_JOINERS}\-]{_CHARACTER}+|[.,]\p{{N}}+)*"
    rf"|[^\s\p{{Z}}\p{{L}}\p{{M}}\p{{N}}{_JOINERS}]"
)
BETWEEN_TOKENS = rf"[\s\p{{Z}}{_JOINERS}]+"
# A NUL and its like part words, as spaces do.
CONTROLS = r"[\x00-\x1f\x7f" + "\x80-\x9f]"
# Byte order marks, zero-width spaces, soft hyphens, directional marks and their like: nobody reads them.
INVISIBLE = (
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e007f]"
)
# How words and punctuation are put together: patterns and their replacements, in turn.
SPELLING = ((r" ([,.;:!?%)\]}…])", r"\1"), (r"([(\[{#]) | (/) ", r"\1\2"))

_TOKENS = regex.compile(TOKEN)


@functools.lru_cache(maxsize=2**17)
def canonical(sentence: str) -> str:
    """Returns a sentence as an explainer that learnt it would say it.

    It is normalised (NFKC), in lower case, without characters that nobody sees, and spaced as
    `ExplanationTokenizer.detokenize` spaces it. What a person wrote and what a network said are compared in
    this form: a sentence said exactly as it was written is the same sentence.

    Args:
        sentence: text of one sentence.

    Example:

    >>> canonical("A  bird, with an e\u0301norme \ufb01n ( red )")
    'a bird, with an énorme fin (red)'
    """
    text = re.sub(INVISIBLE, "", re.sub(CONTROLS, " ", sentence))
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    text = " ".join(_TOKENS.findall(text))
    for pattern, replacement in SPELLING:
        text = re.sub(pattern, lambda match, form=replacement: match.expand(form), text)
    return text


def has_words(sentence: str) -> bool:
    """Returns whether there is a word or a punctuation mark in a text, which a tokenizer would keep."""
    return bool(_TOKENS.search(re.sub(INVISIBLE, "", re.sub(CONTROLS, " ", sentence))))


def clean_name(name: str) -> str:
    """Returns the name of a class or the like in one form: NFC, without characters that nobody sees.

    Two labels that look the same are then the same.

    Args:
        name: a single line of text.

    Example:

    >>> clean_name("\ufeffMe\u0301sange") == "M\u00e9sange"
    True
    """
    return unicodedata.normalize("NFC", re.sub(INVISIBLE, "", name)).strip()


def check_encodable(text: str, where: str) -> None:
    """Raises a `ValueError` beginning with `where` if `text` holds half of a UTF-16 pair, which no file can.

    Args:
        text: of a sentence, a label or a name.
        where: argument, or file and line, that it came from.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = text[max(error.start - 20, 0) : error.end + 20].encode("ascii", "backslashreplace").decode()
        raise ValueError(
            f"{where}: the text {shown!r} holds half of a surrogate pair, which is no character; mend it"
        ) from None
