"""`attribute`: how much each layer of the classifier contributed to each word of an explanation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from interpnet_tf.attribution.attribution import Attribution
from interpnet_tf.attribution.heat_maps import heat_maps_of, layers_of_maps
from interpnet_tf.attribution.in_float32 import log_probabilities
from interpnet_tf.attribution.methods import METHODS, Task
from interpnet_tf.attribution.options import check_options, read_baseline
from interpnet_tf.attribution.reason_scores import ReasonScores
from interpnet_tf.data.inputs import inputs_of
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.generation.explanation import Explanation
from interpnet_tf.generation.scoring import ids_of_explanations


def attribute(
    model: ExplainingModel,
    x: Any,
    explanations: Sequence[Explanation | str] | None = None,
    method: str = "integrated_gradients",
    baseline: Any = "mean",
    steps: int = 64,
    batch_size: int = 64,
    seed: int | None = None,
    heat_maps: bool = True,
    reasons: ReasonScores | None = None,
) -> list[Attribution]:
    """Returns how much each layer of r(x) contributed to the log-probability of each word.

    The decoder computes in float32 here, also where it was trained in mixed precision.

    Args:
        model: an `InterpNet`.
        x: what its classifier reads, an `ExplanationDataset`, or a `tf.data.Dataset` of batches.
        explanations: what was said of each example, an `Explanation` or a text; `None` is what
            `model.explain` says greedily.
        method: one of `METHODS`: `"integrated_gradients"`, of every number of r; `"layer_ablation"` and
            `"shapley"`, of layers; `"attention"`, which is no attribution, of a decoder that attends.
        baseline: the r(x) that tells nothing: `"mean"`, that of r over the training examples; `"zeros"`; or
            an array `(width,)` or `(examples, width)`, such as `model.introspect` gives of another example.
        steps: points of the path of integrated gradients; random orders of Shapley values from 9 layers on.
        batch_size: sentences at a time, or fewer where that is faster.
        seed: of the random orders, from 0; `None` draws anew.
        heat_maps: whether integrated gradients tell positions of layers that come from maps.
        reasons: those of the model, which tell how much of the decision rests on what each word says.

    Returns:
        An `Attribution` for each example.

    Raises:
        ValueError: if an argument is out of its range, there is not an explanation for each example, or
            `"attention"` is asked of a decoder that does not attend.

    Example:

    ```python
    attribution = attribute(model, images[:1])[0]
    print(attribution)  # words by layers, in nats
    attribution.top_units("red", "hidden_1")
    ```
    """
    check_options(METHODS, method, steps, batch_size, seed)
    if not isinstance(reasons, ReasonScores | None):
        raise ValueError(
            f"reasons must be ReasonScores, such as ReasonScores(model, train) or the `scores` of a speaker, "
            f"got a {type(reasons).__name__}"
        )
    x = inputs_of(x)
    if explanations is None:
        explanations = model.explain(x, batch_size=batch_size)
    r = model.introspect(x, batch_size)
    ids = ids_of_explanations(model, explanations, len(r))
    of_baseline = read_baseline(model, baseline, len(r))
    shares = METHODS[method](Task(model, r, of_baseline, ids, steps, seed, batch_size))
    ends = [log_probabilities(model, part, ids, batch_size) for part in (r, of_baseline)]
    maps: list[dict[str, np.ndarray]] = [{} for _ in ids]
    if heat_maps and shares.gradients is not None and layers_of_maps(model.introspector):
        maps = heat_maps_of(model, x, shares.gradients, shares.scores)
    words = [tuple(model.tokenizer.words(of_one)) for of_one in ids]
    of_words = [None] * len(ids) if reasons is None else reasons.words(x, words)
    slices, layers = model.introspector.slices, model.introspector.layer_paths
    return [
        Attribution(
            words=words[place],
            layers=layers,
            scores=shares.scores[place].astype("float32"),
            log_probabilities=ends[0][place],
            baseline_log_probabilities=ends[1][place],
            method=method,
            units=None if shares.units is None else shares.units[place],
            slices=slices,
            heat_maps=maps[place],
            reason=of_words[place],
        )
        for place in range(len(ids))
    ]
