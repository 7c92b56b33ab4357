"""Data sets of examples with explanations: `cub`, `sketchbirds` and a user's own `records`."""

import importlib

from interpnet_tf.data.dataset import ExplanationDataset

_MODULES = ("cub", "loading", "records", "sketchbirds")

__all__ = ["ExplanationDataset", *_MODULES]  # noqa: PLE0604


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"interpnet_tf.data.{name}")
    raise AttributeError(f"module 'interpnet_tf.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
