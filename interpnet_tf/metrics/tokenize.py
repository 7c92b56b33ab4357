"""What the metrics share: sentences are checked, divided into words, and these into n-grams."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from interpnet_tf.language.text import canonical


# A score reads every sentence once a metric, and nltk takes longer to divide one than a metric to score it.
@functools.lru_cache(maxsize=2**17)
def words(sentence: str) -> tuple[str, ...]:
    """Divides a sentence, in its canonical form (see `text.canonical`), into words and punctuation marks.

    As the paper does, with nltk's `word_tokenize`; `preserve_line=True` keeps it from first looking for
    sentence boundaries, for which nltk would download a model.

    Args:
        sentence: text of one sentence.

    Returns:
        Its tokens.

    Example:

    >>> words("This bird's bill is short.")
    ('this', 'bird', "'s", 'bill', 'is', 'short', '.')
    """
    from nltk import word_tokenize

    return tuple(word_tokenize(canonical(sentence), preserve_line=True))


def ngrams(tokens: tuple[str, ...], order: int) -> Iterator[tuple[str, ...]]:
    """Gives the runs of `order` tokens.

    Example:

    >>> list(ngrams(("a", "black", "bird"), 2))
    [('a', 'black'), ('black', 'bird')]
    """
    return zip(*(tokens[start:] for start in range(order)), strict=False)


def check_sentences(hypotheses: Any, references: Any) -> None:
    """Checks what every metric takes: one hypothesis and a list of reference sentences an example.

    An empty hypothesis is legal, and scores 0.

    Raises:
        ValueError: if there is no example, the lengths differ, something is not text, or an example has
            no reference sentence or an empty one.
    """
    for name, value in (("hypotheses", hypotheses), ("references", references)):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{name} must be a list with one entry an example, got {_shown(value)}")
    if len(hypotheses) != len(references):
        raise ValueError(
            "hypotheses and references must have one entry an example each, "
            f"got {len(hypotheses)} hypotheses and references of {len(references)} examples"
        )
    if not hypotheses:
        raise ValueError("hypotheses must hold at least one sentence, got an empty list")
    for index, (hypothesis, sentences) in enumerate(zip(hypotheses, references, strict=True)):
        if not isinstance(hypothesis, str):
            raise ValueError(f"hypotheses[{index}] must be a string, got {_shown(hypothesis)}")
        if not isinstance(sentences, (list, tuple)):
            raise ValueError(
                f"references[{index}] must be a list of sentences, got {_shown(sentences)}; "
                "put a single reference in a list of its own"
            )
        if not sentences:
            raise ValueError(
                f"references[{index}] has no sentence; leave out examples without any "
                "(ExplanationDataset.explained() does)"
            )
        for position, sentence in enumerate(sentences):
            if not isinstance(sentence, str) or not canonical(sentence):
                raise ValueError(
                    f"references[{index}][{position}] must be a non-empty string, got {_shown(sentence)}"
                )


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:60]!r}"
