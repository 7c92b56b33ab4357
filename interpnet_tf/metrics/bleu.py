"""BLEU: how many of the n-grams said are also in a reference."""

from __future__ import annotations

from collections import Counter

import numpy as np

from interpnet_tf.metrics.tokenize import check_sentences, ngrams, words


def bleu(hypotheses: list[str], references: list[list[str]], max_order: int = 4) -> list[float]:
    """Computes BLEU-1 to BLEU-`max_order` of a corpus.

    The geometric mean of the clipped n-gram precisions, counted over the whole corpus, times the brevity
    penalty for hypotheses shorter than their closest references (the shorter of two as close). There is
    no smoothing: an order without a single match makes its BLEU 0.

    Equal to nltk's `corpus_bleu`, which the paper uses, unless a hypothesis has fewer than `max_order`
    words: nltk counts that one n-gram has been said, and missed, where there was no room for any. Equal to
    coco-caption's `Bleu` wherever there is a match; without one, that gives the root of a small constant.

    Args:
        hypotheses: one sentence an example.
        references: reference sentences of each example.
        max_order: longest n-gram counted.

    Returns:
        `max_order` values between 0 and 1.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.

    Example:

    >>> bleu(["a black bird ."], [["a black bird .", "it is small ."]])
    [1.0, 1.0, 1.0, 1.0]

    References:

    - [Papineni et al., 2002](https://aclanthology.org/P02-1040), section 2.3
    """
    return bleu_of_counts(bleu_counts(hypotheses, references, max_order).sum(axis=0)).tolist()


def bleu_counts(hypotheses: list[str], references: list[list[str]], max_order: int = 4) -> np.ndarray:
    """Counts what BLEU is made of, an example at a time; BLEU is a function of their sums.

    Args:
        hypotheses: one sentence an example.
        references: reference sentences of each example.
        max_order: longest n-gram counted.

    Returns:
        float64 `(examples, 2 * max_order + 2)`: for each order the n-grams that are in a reference too, then
        for each order the n-grams said, then the words of the hypothesis and of its closest reference.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.

    Example:

    >>> bleu_counts(["a red red bird"], [["a red bird"]], max_order=2)
    array([[3., 2., 4., 3., 4., 3.]])
    """
    check_sentences(hypotheses, references)
    if max_order < 1:
        raise ValueError(f"max_order must be at least 1, got {max_order}")
    rows = []
    for hypothesis, sentences in zip(hypotheses, references, strict=True):
        tokens = words(hypothesis)
        reference_tokens = [words(sentence) for sentence in sentences]
        matches, said = [], []
        for order in range(1, max_order + 1):
            counts = Counter(ngrams(tokens, order))
            reference_counts = [Counter(ngrams(r, order)) for r in reference_tokens]
            said.append(counts.total())
            matches.append(
                sum(min(count, max(r[ngram] for r in reference_counts)) for ngram, count in counts.items())
            )
        closest = min((abs(len(r) - len(tokens)), len(r)) for r in reference_tokens)[1]
        rows.append([*matches, *said, len(tokens), closest])
    return np.array(rows, "float64")


def bleu_of_counts(counts: np.ndarray) -> np.ndarray:
    """Computes BLEU of the sums of `bleu_counts` over a corpus.

    Args:
        counts: `(..., 2 * max_order + 2)`.

    Returns:
        BLEU-1 to BLEU-`max_order`, `(..., max_order)`.
    """
    max_order = counts.shape[-1] // 2 - 1
    matches, said = counts[..., :max_order], counts[..., max_order:-2]
    words_said, words_written = counts[..., -2], counts[..., -1]
    precisions = np.divide(matches, said, out=np.zeros(said.shape), where=said > 0)
    # Without a word said there is nothing to divide by, and no match either.
    brevity_penalty = np.exp(np.minimum(0, 1 - words_written / np.maximum(words_said, 1)))
    return brevity_penalty[..., None] * np.cumprod(precisions, axis=-1) ** (1 / np.arange(1, max_order + 1))
