"""Run folders: what to train, everything that a training leaves behind, and how good it is."""

from interpnet_tf.runs.config import RunConfig, read_config
from interpnet_tf.runs.folder import classifier_of, read, read_history, train

__all__ = ["RunConfig", "classifier_of", "read", "read_config", "read_history", "train"]
