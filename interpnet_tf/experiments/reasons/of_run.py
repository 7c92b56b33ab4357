"""What carried the decisions of a run: its effects, measured once and kept in its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from interpnet_tf.analysis.report import Carried
from interpnet_tf.experiments.reasons.effects import Effects, measure_effects
from interpnet_tf.runs.trained import Trained


def effects_of_run(
    trained: Trained, split: str, mark: Mapping[str, str], progress: Callable[[int, int], None] | None = None
) -> Effects:
    """Measures what carried the decisions of a trained model on a split of sketchbirds.

    Args:
        trained: the model and its data.
        split: such as `"test"`.
        mark: the option of `sketchbirds.load` of that name, where it is given.
        progress: called with how many pictures are done, and of how many.

    Returns:
        The effects of the pictures, in the order of `trained.load(split, **mark)`.

    Raises:
        ValueError: if the model is of other data.
    """
    if trained.config is not None and trained.config.data != "sketchbirds":
        raise ValueError(
            f"{trained.path} is trained on {trained.config.data!r}, and what carried a decision is known of "
            "sketchbirds only, whose pictures can be repainted"
        )
    trained.load(split, **mark)  # names what does not fit the model
    return measure_effects(
        trained.model.classifier,
        split,
        trained.config.seed_of_data,
        output=trained.model.output_kind,
        cache_folder=trained.folder,
        progress=progress,
        **{**trained.config.options, **mark},
    )


def carried_by(effects: Effects) -> Carried:
    """Returns effects as a report shows them.

    Example:

    >>> carried_by(Effects(("crown", "legs"), np.array([[0.5, np.nan]]), np.zeros((1, 2)))).values
    [{'crown': 0.5}]
    """
    return Carried(
        "What carried a decision is measured: a part of the bird is repainted in other ways, everything else "
        "of the picture stays as it is, and the classifier is asked again. 100 % is a part without which it "
        "would decide quite otherwise. Parts that the sentence speaks of are marked as said.",
        [
            {
                part: float(value)
                for part, value in zip(effects.parts, of_picture, strict=True)
                if not np.isnan(value)
            }
            for of_picture in effects.values
        ],
    )
