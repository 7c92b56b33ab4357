"""Training: the two stages, schedules of the learning rate, checkpoints, REINFORCE and its rewards."""

from interpnet_tf.training.checkpoints import Checkpoints
from interpnet_tf.training.reason_training import train_reasons
from interpnet_tf.training.schedules import SCHEDULES, PaperSchedule, warmup_cosine
from interpnet_tf.training.stages import (
    CLASSIFIER_RATE,
    DECODER_RATE,
    check_schedule,
    fit_resumable,
    train_classifier,
    train_explainer,
)

__all__ = [
    "CLASSIFIER_RATE",
    "DECODER_RATE",
    "SCHEDULES",
    "Checkpoints",
    "PaperSchedule",
    "check_schedule",
    "fit_resumable",
    "train_classifier",
    "train_explainer",
    "train_reasons",
    "warmup_cosine",
]
