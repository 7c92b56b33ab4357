"""Data sets of examples with explanations: `cub`, `esnli`, `sketchbirds` and a user's own `records`."""

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.support.lazy_names import lazy_names

_NAMES = ("cub", "esnli", "loading", "records", "sketchbirds", "verbalizer")
_MODULES = {name: f"interpnet_tf.data.{name}" for name in _NAMES}

__all__ = ["ExplanationDataset", *_MODULES]  # noqa: PLE0604

__getattr__, __dir__ = lazy_names(__name__, modules=_MODULES)
