"""Data sets of examples with explanations: `cub`, `sketchbirds` and a user's own `records`."""

from interpnet_tf.data import cub, records, sketchbirds
from interpnet_tf.data.dataset import ExplanationDataset

__all__ = ["ExplanationDataset", "cub", "records", "sketchbirds"]
