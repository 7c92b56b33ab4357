"""What a score is to be read against: a constant sentence, a person's, and how varied the sentences are.

On CUB's sentences the most frequent one, said of every image, scores higher in METEOR and BLEU than people
do against one another. A high score alone therefore says little.
"""

from __future__ import annotations

import random
from collections import Counter

from interpnet_tf.metrics.tokenize import words


def most_frequent_sentence(sentences: list[list[str]]) -> str:
    """Finds the sentence written most often, the first seen among equals.

    Args:
        sentences: the sentences of each training example, such as `ExplanationDataset.explanations`.

    Returns:
        The sentence to say of every example.

    Raises:
        ValueError: if there is no sentence.

    Example:

    >>> most_frequent_sentence([["a gull", "a crow"], [], ["a crow"]])
    'a crow'
    """
    counts = Counter(sentence for example in sentences for sentence in example)
    if not counts:
        raise ValueError("sentences must hold at least one sentence, got none")
    return counts.most_common(1)[0][0]


def human_row(references: list[list[str]], seed: int | None = None) -> tuple[list[str], list[list[str]]]:
    """Takes one sentence a person wrote of each example, to be scored against the others.

    Args:
        references: reference sentences of each example, two or more.
        seed: of the choice of the sentence; `None` for the first of each. The order can matter much: in
            the files of CUB the last five sentences of an image agree with one another far more than the
            first five do.

    Returns:
        Hypotheses and references to be given to `score`; there is one reference fewer than a model has.

    Raises:
        ValueError: if an example has fewer than two sentences.

    Example:

    >>> human_row([["a gull", "a white bird", "a bird"]])
    (['a gull'], [['a white bird', 'a bird']])
    """
    generator = random.Random(seed)
    hypotheses, others = [], []
    for index, sentences in enumerate(references):
        if len(sentences) < 2:
            raise ValueError(
                f"references[{index}] must have two sentences or more, for one to be scored against the "
                f"others, got {len(sentences)}; leave such examples out"
            )
        choice = 0 if seed is None else generator.randrange(len(sentences))
        hypotheses.append(sentences[choice])
        others.append([*sentences[:choice], *sentences[choice + 1 :]])
    return hypotheses, others


def variety(hypotheses: list[str], training_sentences: list[list[str]]) -> dict[str, float]:
    """Measures how varied sentences are and how many of them are new.

    Two sentences are the same if their words are, whatever their spacing and case.

    Args:
        hypotheses: one sentence an example.
        training_sentences: the sentences of each training example.

    Returns:
        `distinct_sentences`, the number of different sentences; `new_share`, the share of the hypotheses
        (between 0 and 1) that are no training sentence; `vocabulary`, the number of different words used,
        punctuation left out.

    Raises:
        ValueError: if there is no hypothesis.

    Example:

    >>> variety(["a crow .", "a crow.", "a gull."], [["A crow."], ["a bird."]])
    {'distinct_sentences': 2, 'new_share': 0.3333333333333333, 'vocabulary': 3}
    """
    if not hypotheses:
        raise ValueError("hypotheses must hold at least one sentence, got none")
    said = [words(hypothesis) for hypothesis in hypotheses]
    known = {words(sentence) for example in training_sentences for sentence in example}
    vocabulary = {word for tokens in said for word in tokens if any(map(str.isalnum, word))}
    return {
        "distinct_sentences": len(set(said)),
        "new_share": sum(tokens not in known for tokens in said) / len(said),
        "vocabulary": len(vocabulary),
    }
