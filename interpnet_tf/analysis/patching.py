"""Activation patching: what becomes of class and sentence with layers taken from another example."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.data.inputs import input_batches, inputs_of, number_of_examples, read_arrays
from interpnet_tf.generation.decoding import GREEDY
from interpnet_tf.generation.explaining import ExplainedBatch, records
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.generation.scoring import divergences, ids_of_words
from interpnet_tf.introspection.finite import check_results, finite_batches
from interpnet_tf.introspection.graph import check_path
from interpnet_tf.introspection.probabilities import class_probabilities
from interpnet_tf.model import InterpNet


@dataclasses.dataclass(frozen=True)
class Patched:
    """What a network says of one example before and after some of its layers were taken from another.

    Attributes:
        layers: paths of the layers whose activations were taken.
        before: what the network says of the example as it is; `before.probabilities` are those of all
            classes.
        after: what it says with the layers of the other example, of the class that it then predicts.
        total_variation: between the class probabilities before and after: half the sum of the absolute
            differences, 0..1. Of labels that do not exclude each other, the largest difference.
        divergences: at each word of `before.words`, the Kullback-Leibler divergence Σ p log(p / q) in nats,
            where p is the decoder's distribution over that word, given the words before it, before the patch,
            and q that after it.

    Example:

    >>> crow = Explanation("Crow", 0, 0.9, "a black bird.", ("a", "black", "bird", "."), (-0.1,) * 4)
    >>> gull = Explanation("Gull", 1, 0.7, "a white bird.", ("a", "white", "bird", "."), (-0.1,) * 4)
    >>> print(Patched(("hidden_1",), crow, gull, 0.6, (0.0, 3.0, 0.0, 0.0)))
    before: Crow (90.0 %): a black bird.
    after:  Gull (70.0 %): a white bird.
    hidden_1 of the source: total variation 0.600, 0.750 nats a word
    """

    layers: tuple[str, ...]
    before: Explanation
    after: Explanation
    total_variation: float
    divergences: tuple[float, ...]

    @property
    def divergence(self) -> float:
        """Mean of `divergences`, nats a word; 0 where nothing was said."""
        return sum(self.divergences) / max(1, len(self.divergences))

    def __str__(self) -> str:
        return (
            f"before: {self.before}\nafter:  {self.after}\n{', '.join(self.layers)} of the source: "
            f"total variation {self.total_variation:.3f}, {self.divergence:.3f} nats a word"
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as plain lists, strings and numbers, ready for JSON."""
        return {
            "layers": list(self.layers),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "total_variation": self.total_variation,
            "divergences": list(self.divergences),
            "divergence": self.divergence,
        }


def patch(
    model: InterpNet, x: Any, source: Any, layers: str | Sequence[str], batch_size: int = 64
) -> list[Patched]:
    """Gives a network's classifier the activations that some layers have for other examples.

    What lies behind these layers is computed from them, see `Introspector.intervene`; the decoder reads the
    r(x) that comes out and says a sentence anew. Where the class changes, the layers carried what the
    decision rests on; where the sentence changes with it, it tells of that.

    Args:
        model: a trained `InterpNet`.
        x: what its classifier reads, as in `InterpNet.explain`.
        source: the examples to take activations from: as many as in `x`, or one for all.
        layers: path of a layer or input of the classifier, or several; also of such as are not part of r(x).
        batch_size: examples at a time.

    Returns:
        A `Patched` for each example in `x`. Words are chosen greedily.

    Raises:
        ValueError: if a layer is none of the classifier's, or there are another number of sources, or
            something is not finite.

    Example:

    ```python
    for patched in itf.analysis.patch(model, images[:4], images[4:5], ["hidden_2", "probabilities"]):
        print(patched)
    ```

    References:
    - [Geiger et al., 2021](https://arxiv.org/abs/2106.02997), interchange interventions
    - [Zhang & Nanda, 2023](https://arxiv.org/abs/2309.16042), activation patching, and how to measure it
    """
    introspector = model.introspector
    paths = (layers,) if isinstance(layers, str) else tuple(layers)
    if not paths:
        raise ValueError("`layers` is empty: name one layer at least")
    for path in paths:
        check_path(model.classifier, path)
    x = read_arrays(inputs_of(x), introspector.input)
    source = read_arrays(inputs_of(source), introspector.input, "source")
    count, of_source = number_of_examples(x), number_of_examples(source)
    if of_source not in (1, count):
        raise ValueError(
            f"source must hold as many examples as x, {count}, or one for all, got {of_source}; "
            "repeat or leave out examples"
        )
    batches = finite_batches(input_batches(x, batch_size, introspector.input), introspector)
    sources = input_batches(source, batch_size, introspector.input)
    sources = finite_batches(sources, introspector, "source")
    sources = sources if of_source == count else itertools.cycle(sources)
    patched: list[Patched] = []
    for batch, of_batch in zip(batches, sources, strict=False):
        taken = introspector.intervene(of_batch, {}, also=paths)
        before, r = _explain(model, batch, {}, len(patched))
        after, patched_r = _explain(model, batch, {path: taken[path] for path in paths}, len(patched))
        ids = ids_of_words(model.tokenizer, [explanation.words for explanation in before])
        of_words = divergences(model, r, patched_r, ids, batch_size)
        for one, other, of_one in zip(before, after, of_words, strict=True):
            distance = _total_variation(model, one, other)
            patched.append(Patched(paths, one, other, distance, tuple(of_one.tolist())))
    return patched


def _explain(
    model: InterpNet, x: Any, replacements: Mapping[str, Any], begin: int
) -> tuple[list[Explanation], np.ndarray]:
    """Returns what a model says of a batch with activations replaced, and its r(x) `(batch, width)`.

    Args:
        model: the `InterpNet`.
        x: what its classifier reads.
        replacements: as in `Introspector.intervene`.
        begin: number of the batch's first example, for the message of an error.
    """
    path = model.introspector.probabilities_path
    outputs = model.introspector.intervene(x, replacements, also=[path])
    probabilities = class_probabilities(model.classifier, outputs[path], model.output_kind)
    r = outputs["r"].numpy()
    check_results(model.classifier, np.isfinite(r).all(1) & np.isfinite(probabilities).all(1), begin)
    options = {"max_length": model.max_length, "decoding": GREEDY, "jit_compile": False}
    said = model._say((probabilities, model.standardize(r)), tf.constant([0, 0]), None, **options)
    said = ExplainedBatch(*(part.numpy() for part in said))
    return list(records(said, model.class_names, model.tokenizer)), r


def _total_variation(model: InterpNet, before: Explanation, after: Explanation) -> float:
    differences = np.abs(np.subtract(before.probabilities, after.probabilities))
    if model.output_kind.startswith("multi_label"):
        return float(differences.max())
    return float(differences.sum() / 2)
