"""Inputs, sentences and weights to learn from, in every form that `keras.Model.fit` takes them."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.inputs import number_of_examples, read_arrays
from interpnet_tf.data.streams import batches, is_stream
from interpnet_tf.language.text import has_words
from interpnet_tf.language.tokenizer import as_lists, flatten


@dataclasses.dataclass(frozen=True)
class TrainingExamples:
    """Examples with their sentences.

    Attributes:
        inputs: what the classifier reads.
        explanations: a list of sentences for each example.
        weights: float `(examples,)`, or `None` where all count alike.
    """

    inputs: Any
    explanations: list[list[str]]
    weights: np.ndarray | None = None


def read_examples(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: Mapping[Any, float] | None = None,
    steps: int | None = None,
) -> Iterator[TrainingExamples]:
    """Yields examples: in one part or, from a stream, batch by batch.

    Args:
        x: an `ExplanationDataset`, a stream of batches `(inputs, sentences)` or `(inputs, sentences,
            weights)`, or what the classifier reads.
        y: with the last, a sentence or a list of sentences for each example.
        sample_weight: with `x` that is no stream, a weight for each example.
        class_weight: with an `ExplanationDataset`, weights by the number or the name of an example's class;
            that of the others is 1.
        steps: the most batches that are read of a stream.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    if class_weight is not None and not isinstance(x, ExplanationDataset):
        raise ValueError(
            "class_weight needs the examples' true classes, which only an ExplanationDataset holds; pass one "
            "as x, or pass sample_weight, a weight for each example"
        )
    if is_stream(x) or isinstance(x, ExplanationDataset):
        kind = "an ExplanationDataset" if isinstance(x, ExplanationDataset) else "a stream of batches"
        if y is not None:
            raise ValueError(f"y must not be passed with {kind}, which holds the sentences itself")
    if is_stream(x):
        if sample_weight is not None:
            raise ValueError(
                "sample_weight must not be passed with a stream; give batches (inputs, sentences, weights)"
            )
        yield from map(of_batch, batches(x, steps))
    elif isinstance(x, ExplanationDataset):
        weights = None if sample_weight is None else read_weights(sample_weight, len(x))
        if class_weight is not None:
            weights = _weights_of_classes(x, class_weight) * (1 if weights is None else weights)
        # An example without sentences teaches the decoder nothing.
        explained = np.array([bool(sentences) for sentences in x.explanations], bool)
        x, weights = x.subset(explained), None if weights is None else weights[explained]
        yield TrainingExamples(x.inputs, x.explanations, weights)
    elif y is None:
        raise ValueError("explanations are missing: pass them as y, or pass an ExplanationDataset as x")
    else:
        sentences = read_sentences(y)
        weights = None if sample_weight is None else read_weights(sample_weight, len(sentences))
        yield TrainingExamples(x, sentences, weights)


def of_batch(element: Any) -> TrainingExamples:
    """Returns the examples of one element of a stream."""
    if not isinstance(element, (list, tuple)) or not 2 <= len(element) <= 3:
        raise ValueError(
            "each batch must be (inputs, sentences) or (inputs, sentences, sample_weight), got "
            + (f"{len(element)} parts" if isinstance(element, (list, tuple)) else type(element).__name__)
        )
    inputs, y, *weights = element
    sentences = read_sentences(y)
    return TrainingExamples(inputs, sentences, read_weights(weights[0], len(sentences)) if weights else None)


def read_sentences(y: Any) -> list[list[str]]:
    """Returns the list of sentences of each example.

    Args:
        y: a sentence or a list of sentences for each example: lists, arrays, ragged tensors, columns of
            tables. In arrays and tensors `(examples, sentences)`, empty texts are padding.

    Raises:
        ValueError: if something stands in place of a sentence; the message names the example.
    """
    padded = getattr(getattr(y, "shape", None), "__len__", lambda: 0)() == 2
    y = as_lists(y)
    if isinstance(y, (str, bytes, Mapping)) or not isinstance(y, Iterable):
        raise ValueError(
            f"y must hold a sentence, or a list of sentences, for each example of a batch, got {y!r:.60}; "
            "of a dataset make batches, as dataset.batch(32) does"
        )
    explanations = []
    for row, of_one in enumerate(y):
        if not isinstance(of_one, (str, bytes)) and not isinstance(of_one, Iterable):
            raise ValueError(
                f"y must hold a sentence, or a list of sentences, for each example, got {of_one!r} for "
                f"example {row}; an example without a sentence has an empty list []"
            )
        try:
            sentences = list(flatten(of_one))
        except ValueError as error:
            raise ValueError(f"y of example {row}: {error}") from None
        if padded:
            sentences = [sentence for sentence in sentences if sentence]
        if not all(map(has_words, sentences)):
            raise ValueError(
                f"y holds an empty sentence for example {row}, or one of nothing that can be seen; an "
                "example without a sentence has an empty list []"
            )
        explanations.append(sentences)
    return explanations


def read_weights(weights: Any, examples: int) -> np.ndarray:
    """Returns weights as float64 `(examples,)`.

    Raises:
        ValueError: if they are not one number of at least 0 for each example.
    """
    try:
        weights = np.asarray(weights, "float64")
    except (TypeError, ValueError):
        raise ValueError(f"sample_weight must be numbers, got {weights!r:.60}") from None
    if weights.shape != (examples,):
        raise ValueError(f"sample_weight must be one weight an example, ({examples},), got {weights.shape}")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        row = int(np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))[0])
        raise ValueError(f"sample_weight must be at least 0 and finite, got {weights[row]} for example {row}")
    return weights


def check_r(r: np.ndarray, examples: int, width: int) -> None:
    """Raises a `ValueError` unless `r` is finite and has a row of the width for each example."""
    if len(r) != examples:
        raise ValueError(f"there are {len(r)} examples and explanations for {examples}")
    if r.shape[1] != width:
        raise ValueError(f"r must be (examples, {width}), got {r.shape}")
    if not np.isfinite(r).all():
        row = int(np.flatnonzero(~np.isfinite(r).all(axis=1))[0])
        raise ValueError(
            f"r(x) of example {row} is not finite; check the inputs and the classifier's weights"
        )


def _weights_of_classes(dataset: ExplanationDataset, class_weight: Mapping[Any, float]) -> np.ndarray:
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            "class_weight must be a dict of weights by class, such as {0: 1.0, 1: 2.0}, got "
            f"{class_weight!r}"
        )
    names = dataset.class_names
    of_classes = np.ones(len(names))
    for key, weight in class_weight.items():
        class_id = names.index(key) if key in names else key
        if isinstance(class_id, str) or class_id not in range(len(names)):
            raise ValueError(f"class_weight must name classes 0 to {len(names) - 1} or by name, got {key!r}")
        if not (isinstance(weight, numbers.Real) and 0 <= weight < math.inf):
            raise ValueError(
                f"class_weight must be numbers of at least 0 and finite, got {weight!r} for class {key!r}"
            )
        of_classes[int(class_id)] = weight
    return of_classes[dataset.labels]


def split_off(
    x: Any, y: Any, sample_weight: Any, fraction: float, expected: Any = None
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """Returns `(x, y, sample_weight)` of the first examples and of the last, as `validation_split` of Keras.

    Args:
        x, y, sample_weight: see `read_examples`; no stream.
        fraction: share of the examples in the second part.
        expected: the classifier's `input`.

    Raises:
        ValueError: if the data cannot be split, or a part would be empty.
    """
    if not (isinstance(fraction, numbers.Real) and 0 < fraction < 1):
        raise ValueError(f"validation_split must be a number between 0 and 1, got {fraction!r}")
    if is_stream(x) or not (isinstance(x, ExplanationDataset) or y is not None):
        raise ValueError(
            "validation_split needs arrays or an ExplanationDataset; pass validation_data with a stream or "
            "with prepared batches"
        )
    arrays = x if isinstance(x, ExplanationDataset) else read_arrays(x, expected)
    size = len(x) if isinstance(x, ExplanationDataset) else number_of_examples(arrays)
    at = int(size * (1 - fraction))
    if at == 0:
        raise ValueError(f"validation_split={fraction} of {size} examples leaves none to train on")
    weights = None if sample_weight is None else read_weights(sample_weight, size)
    sentences = None if y is None else read_sentences(y)
    if sentences is not None and len(sentences) != size:
        raise ValueError(f"there are {size} examples and explanations for {len(sentences)}")

    def part(rows: slice) -> tuple[Any, Any, Any]:
        if isinstance(arrays, ExplanationDataset):
            of_rows = arrays.subset(np.arange(size)[rows])
        else:
            of_rows = keras.tree.map_structure(lambda one: one[rows], arrays)
        return of_rows, *(None if one is None else one[rows] for one in (sentences, weights))

    return part(slice(0, at)), part(slice(at, size))
