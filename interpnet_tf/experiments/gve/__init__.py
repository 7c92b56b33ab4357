"""Generating Visual Explanations (Hendricks et al. 2016): sentences that suit the picture and name its class.

A decoder reads the image feature x and an embedding of the predicted class, learns the sentences people wrote
(the relevance loss), and then that a classifier of sentences recognises the class in what it says (the
discriminative loss). The result is an `InterpNet`, of a classifier with one layer more.

References:
- [Hendricks et al. 2016](https://arxiv.org/abs/1603.08507)
"""

from interpnet_tf.experiments.gve.training import (
    ABLATIONS,
    STAGES,
    discriminate,
    train,
    train_sentence_classifier,
)

__all__ = [
    "ABLATIONS",
    "STAGES",
    "discriminate",
    "train",
    "train_sentence_classifier",
]
