"""A model that computes in float32 whatever precision it was trained in, as phones want it."""

from __future__ import annotations

from typing import Any

from interpnet_tf.generation.explaining_model import ExplainingModel

_OTHERS = ("float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")


def in_float32(model: ExplainingModel) -> ExplainingModel:
    """Returns a model with the same weights whose layers all compute in float32.

    LiteRT's kernels lack bfloat16, float64 and most of float16.

    Args:
        model: the `InterpNet`.

    Returns:
        The model itself where nothing computes in another precision.

    Raises:
        ValueError: if the model cannot be built anew from its config.
    """
    config = model.get_config()
    wanted = _replaced(config)
    if wanted == config:
        return model
    try:
        twin = type(model).from_config(wanted)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"LiteRT computes in float32, and the classifier {model.classifier.name!r}, which does not, "
            f"cannot be rebuilt from its config ({error}); build it with dtype='float32' before the export"
        ) from error
    twin.set_weights(model.get_weights())
    return twin


def _replaced(config: Any) -> Any:
    """Returns a config with float32 in place of other precisions."""
    if isinstance(config, list):
        return [_replaced(part) for part in config]
    if not isinstance(config, dict):
        return config
    # A policy's config is its name alone; inputs and operations have a dtype.
    keys = {"dtype", "name"} if set(config) == {"name"} else {"dtype"}
    return {
        key: "float32" if key in keys and isinstance(part, str) and part in _OTHERS else _replaced(part)
        for key, part in config.items()
    }
