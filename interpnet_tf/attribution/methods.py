"""The methods of attribution: integrated gradients, layer ablation, Shapley values, and attention beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from interpnet_tf.attribution.coalitions import ablation_design, shapley_design
from interpnet_tf.attribution.in_float32 import InFloat32, log_probabilities
from interpnet_tf.attribution.quadrature import path_points
from interpnet_tf.generation.attending import layers_looked_at
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.generation.scoring import begun, padded

# Of one pass of a graph: small enough for the processor's caches.
_ROWS = 256


class Task(NamedTuple):
    """What is to be attributed.

    Attributes:
        model: the `InterpNet`.
        r: r(x) of each sentence's example, float32 `(sentences, width)`.
        baseline: float32 `(sentences, width)`.
        ids: of each sentence, without start and end.
        steps: of the path, or of random orders.
        seed: of the random orders.
        batch_size: sentences, or changed copies of them, at a time.
    """

    model: ExplainingModel
    r: np.ndarray
    baseline: np.ndarray
    ids: Sequence[Sequence[int]]
    steps: int
    seed: int | None
    batch_size: int


class Shares(NamedTuple):
    """What a method finds.

    Attributes:
        scores: float32 `(words, layers)` for each sentence.
        units: float32 `(words, width)` for each sentence, or `None`.
        gradients: mean gradients by r, float32 `(words, width)` for each sentence, or `None`.
    """

    scores: list[np.ndarray]
    units: list[np.ndarray] | None = None
    gradients: list[np.ndarray] | None = None


def integrated_gradients(task: Task) -> Shares:
    """Returns (r - baseline) times the mean gradient on the straight path between them.

    Complete: a word's scores add up to the difference of its log-probabilities, as far as `steps` points of
    the path tell. Of each number of r.

    References:
    - [Sundararajan et al. 2017, section 3](https://arxiv.org/abs/1703.01365)
    """
    task.model._in_float32.update()
    points, weights = (tf.constant(part) for part in path_points(task.steps))
    rows = task.model._in_float32.decoder.path_rows
    size = task.batch_size if rows is None else max(1, min(task.batch_size, rows // task.steps))
    gradients: list[np.ndarray] = [np.zeros(0)] * len(task.ids)
    by_length = np.argsort([len(of_one) for of_one in task.ids], kind="stable")
    for begin in range(0, len(by_length), size):
        places = by_length[begin : begin + size]
        ids = [task.ids[place] for place in places]
        examples = (task.r[places], task.baseline[places], padded(ids), np.array([*map(len, ids)], "int32"))
        examples = tuple(tf.constant(part) for part in examples)
        found = task.model._path_gradients(examples, points, weights).numpy()
        for place, of_one, of_ids in zip(places, found, ids, strict=True):
            gradients[place] = of_one[: len(of_ids)]
    differences = task.r - task.baseline
    units = [of_one * difference for of_one, difference in zip(gradients, differences, strict=True)]
    slices = task.model.introspector.slices.values()
    scores = [np.stack([of_one[:, part].sum(axis=1) for part in slices], axis=1) for of_one in units]
    return Shares(scores, units, gradients)


def path_gradients(
    model: InFloat32, examples: tuple[tf.Tensor, ...], points: tf.Tensor, weights: tf.Tensor
) -> tf.Tensor:
    """Returns the mean gradients of the words' log-probabilities by r, float32 `(sentences, words, width)`.

    Args:
        model: the `InterpNet` in float32.
        examples: r(x) and baselines `(sentences, width)`, ids `(sentences, words)` without the start id, and
            how many of them count `(sentences,)`.
        points, weights: of the path, see `path_points`.
    """
    r, baseline, ids, lengths = examples
    ends = (model.standardize(part) for part in (baseline, r))
    gradients = model.decoder.path_gradients(*ends, begun(ids), ids, lengths, points, weights)
    return gradients * model.r_scale


def layer_ablation(task: Task) -> Shares:
    """Returns by how much a word's log-probability falls when a layer's block of r becomes the baseline's.

    Not complete: what two layers tell alike is missed when both are taken away, not when one is.

    References:
    - [Zeiler & Fergus 2014, section 4.2](https://arxiv.org/abs/1311.2901), the same with patches of pictures
    """
    kept = ablation_design(len(task.model.introspector.slices))
    return Shares([(of_one[:1] - of_one[1:]).T for of_one in _worths(task, kept)])


def shapley(task: Task) -> Shares:
    """Returns the Shapley values of the layers: the mean effect of a layer over all orders of adding them.

    Complete. Exact up to 8 layers, with 2^layers passes of the decoder; from 9 on the mean over `steps`
    random orders.

    References:
    - [Lundberg & Lee 2017, section 2](https://arxiv.org/abs/1705.07874)
    """
    layers = len(task.model.introspector.slices)
    coalitions, coefficients = shapley_design(layers, task.steps, task.seed)
    return Shares([of_one.T @ coefficients for of_one in _worths(task, coalitions)])


def attention(task: Task) -> Shares:
    """Returns how much each word looked at each layer: weights that sum to 1, no nats.

    No attribution: where a decoder looks does not say what it makes of what it sees, nor for which word it
    speaks. Reported beside the others; completeness is not defined.

    References:
    - [Jain & Wallace 2019, Attention is not Explanation](https://arxiv.org/abs/1902.10186)
    """
    return Shares(layers_looked_at(task.model, task.r, task.ids, task.batch_size))


def _worths(task: Task, kept: np.ndarray) -> list[np.ndarray]:
    """Returns log-probabilities where some layers' blocks of r are the baseline's.

    Args:
        task: what is asked.
        kept: whether a layer's block stays r(x)'s, bool `(variants, layers)`.

    Returns:
        `(variants, words)` for each sentence.
    """
    slices = task.model.introspector.slices.values()
    by_unit = np.repeat(kept, [part.stop - part.start for part in slices], axis=1)
    rows = max(task.batch_size, _ROWS)
    result: list[np.ndarray] = []
    size = max(1, rows // len(kept))
    for begin in range(0, len(task.ids), size):
        ids = task.ids[begin : begin + size]
        r, baseline = (part[begin : begin + size, None] for part in (task.r, task.baseline))
        changed = np.where(by_unit, r, baseline).reshape(-1, by_unit.shape[1])
        repeated = [of_one for of_one in ids for _ in kept]
        said = log_probabilities(task.model, changed, repeated, rows)
        result += [np.stack(said[place : place + len(kept)]) for place in range(0, len(said), len(kept))]
    return result


METHODS: dict[str, Callable[[Task], Shares]] = {
    "integrated_gradients": integrated_gradients,
    "layer_ablation": layer_ablation,
    "shapley": shapley,
    "attention": attention,
}
