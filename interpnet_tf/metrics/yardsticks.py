"""What a score is to be read against: a constant sentence, a person's, and how varied the sentences are.

On CUB's sentences the most frequent one, said of every image, scores higher in METEOR and BLEU than people
do against one another. A high score alone therefore says little.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

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


def random_sentence_of_class(
    sentences: list[list[str]], labels: Sequence[int], wanted: Sequence[int], seed: int = 0
) -> list[str]:
    """Draws for each example a training sentence of its true class, as if the classifier were never wrong.

    Args:
        sentences: the sentences of each training example.
        labels: class ids of the training examples.
        wanted: class ids of the examples to speak of.
        seed: of the draw.

    Returns:
        One sentence for each of `wanted`.

    Raises:
        ValueError: if there is not one label an example, or a wanted class has no sentence.

    Example:

    >>> random_sentence_of_class([["a gull"], [], ["a crow"]], [0, 0, 1], [1, 0, 1])
    ['a crow', 'a gull', 'a crow']
    """
    of_class: dict[int, list[str]] = defaultdict(list)
    for label, example in zip(map(int, labels), sentences, strict=True):
        of_class[label] += example
    generator = random.Random(seed)
    chosen = []
    for label in map(int, wanted):
        if not of_class[label]:
            raise ValueError(f"class {label} has no training sentence; leave its examples out")
        chosen.append(generator.choice(of_class[label]))
    return chosen


def nearest_neighbour(
    sentences: list[list[str]], training_features: np.ndarray, features: np.ndarray, seed: int = 0
) -> list[str]:
    """Takes for each example a sentence of the training example that is most like it, by cosine.

    Args:
        sentences: the sentences of each training example; one without any is nobody's neighbour.
        training_features: `(training examples, width)`.
        features: `(examples, width)`.
        seed: of the choice among the neighbour's sentences.

    Returns:
        One sentence an example.

    Raises:
        ValueError: if the features do not fit together, or there is no sentence.

    Example:

    >>> nearest_neighbour([["a gull"], ["a crow"]], np.eye(2), np.array([[0.2, 9.0]]))
    ['a crow']
    """
    training_features, features = np.asarray(training_features), np.asarray(features)
    if (
        training_features.ndim != 2
        or features.ndim != 2
        or training_features.shape != (len(sentences), features.shape[1])
    ):
        raise ValueError(
            f"training_features must be ({len(sentences)}, width), one row for each entry of sentences, and "
            f"features (examples, width), got {training_features.shape} and {features.shape}"
        )
    explained = np.array([bool(example) for example in sentences], dtype=bool)
    if not explained.any():
        raise ValueError("sentences must hold at least one sentence, got none")
    similarity = _unit(features) @ _unit(training_features[explained]).T
    neighbours = np.flatnonzero(explained)[similarity.argmax(axis=1)]
    generator = random.Random(seed)
    return [generator.choice(sentences[index]) for index in neighbours]


def _unit(features: np.ndarray) -> np.ndarray:
    features = features.astype("float32")
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


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
