"""The options of attributions: checked, and the baseline made an array."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.support.checks import check_whole


def check_options(methods: Iterable[str], method: str, steps: int, batch_size: int, seed: int | None) -> None:
    """Raises a `ValueError` that names the option which is out of its range.

    Args:
        methods: those that there are.
        method, steps, batch_size, seed: as in `attribute`.
    """
    if method not in methods:
        raise ValueError(f"method must be one of {', '.join(map(repr, methods))}, got {method!r}")
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        check_whole(name, value, 1)
    if seed is not None:
        check_whole("seed", seed, 0)


def read_baseline(model: ExplainingModel, baseline: Any, examples: int) -> np.ndarray:
    """Returns the baseline of each example, float32 `(examples, width)`.

    Args:
        model: the `InterpNet`.
        baseline: `"mean"`, that of r over the training examples, which `fit` found; `"zeros"`; or an array
            `(width,)` or `(examples, width)`, such as the r(x) of another example, see `introspect`.
        examples: their number.

    Raises:
        ValueError: if it is none of these.
    """
    width = model.introspector.width
    if isinstance(baseline, str) and baseline in ("mean", "zeros"):
        one = tf.convert_to_tensor(model.r_mean).numpy() if baseline == "mean" else np.zeros(width)
    else:
        try:
            one = np.asarray(baseline, "float32")
        except (TypeError, ValueError):
            one = None
        if one is None or one.shape not in ((width,), (examples, width)):
            seen = repr(baseline) if one is None else f"an array of shape {one.shape}"
            raise ValueError(
                f"baseline must be 'mean', 'zeros' or an array ({width},) or ({examples}, {width}), such as "
                f"model.introspect(another) gives, got {seen}"
            )
        if not np.isfinite(one).all():
            raise ValueError("baseline holds NaN or infinity; replace such values")
    return np.broadcast_to(one.astype("float32"), (examples, width))
