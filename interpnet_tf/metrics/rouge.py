"""ROUGE-L: the longest run of words, gaps allowed, that a hypothesis shares with a reference."""

from __future__ import annotations

from statistics import fmean

from interpnet_tf.metrics.tokenize import check_sentences, words

# Weight of recall against precision: coco-caption's value.
_BETA = 1.2


def rouge_l(hypotheses: list[str], references: list[list[str]]) -> float:
    """Computes the mean of `rouge_l_sentences`, between 0 and 1.

    Example:

    >>> rouge_l(["a black bird"], [["a black bird"]])
    1.0
    """
    return fmean(rouge_l_sentences(hypotheses, references))


def rouge_l_sentences(hypotheses: list[str], references: list[list[str]]) -> list[float]:
    """Computes ROUGE-L of every hypothesis as coco-caption does.

    With P and R the longest common subsequence as a share of the hypothesis and of the reference, each
    the best over the references, the score is (1 + b²) P R / (R + b² P), b = 1.2.

    Args:
        hypotheses: one sentence an example.
        references: reference sentences of each example.

    Returns:
        One value between 0 and 1 an example.

    Raises:
        ValueError: if an argument is wrong; see `check_sentences`.

    References:

    - [Lin, 2004](https://aclanthology.org/W04-1013), section 3.1
    """
    check_sentences(hypotheses, references)
    return [
        _sentence_score(words(hypothesis), [words(sentence) for sentence in sentences])
        for hypothesis, sentences in zip(hypotheses, references, strict=True)
    ]


def _sentence_score(hypothesis: tuple[str, ...], references: list[tuple[str, ...]]) -> float:
    common = [_longest_common_subsequence(hypothesis, reference) for reference in references]
    if not any(common):
        return 0.0
    precision = max(common) / len(hypothesis)
    recall = max(length / len(reference) for length, reference in zip(common, references, strict=True))
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)


def _longest_common_subsequence(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    # row[j]: length of the longest common subsequence of the words of `first` read so far and second[:j].
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for j, other in enumerate(second, start=1):
            above = row[j]
            if word == other:
                row[j] = diagonal + 1
            elif row[j - 1] > above:
                row[j] = row[j - 1]
            diagonal = above
    return row[-1]
