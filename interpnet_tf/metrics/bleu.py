"""BLEU: how many of the n-grams said are also in a reference."""

from __future__ import annotations

import math
from collections import Counter

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
    check_sentences(hypotheses, references)
    if max_order < 1:
        raise ValueError(f"max_order must be at least 1, got {max_order}")
    orders = range(1, max_order + 1)
    matches, said = dict.fromkeys(orders, 0), dict.fromkeys(orders, 0)
    hypothesis_length = reference_length = 0
    for hypothesis, sentences in zip(hypotheses, references, strict=True):
        tokens = words(hypothesis)
        reference_tokens = [words(sentence) for sentence in sentences]
        hypothesis_length += len(tokens)
        reference_length += min((abs(len(r) - len(tokens)), len(r)) for r in reference_tokens)[1]
        for order in orders:
            counts = Counter(ngrams(tokens, order))
            reference_counts = [Counter(ngrams(r, order)) for r in reference_tokens]
            said[order] += counts.total()
            matches[order] += sum(
                min(count, max(r[ngram] for r in reference_counts)) for ngram, count in counts.items()
            )
    if not matches[1]:
        return [0.0] * max_order
    brevity_penalty = min(1.0, math.exp(1 - reference_length / hypothesis_length))
    scores = []
    for order in orders:
        precisions = [matches[n] / said[n] if said[n] else 0.0 for n in range(1, order + 1)]
        scores.append(brevity_penalty * math.prod(precisions) ** (1 / order))
    return scores
