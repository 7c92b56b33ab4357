"""Scores of generated explanations against the sentences that people wrote.

`score` runs every metric; `yardsticks` gives the rows that belong beside a score: a constant sentence,
a human one, and how varied the sentences are.
"""

from interpnet_tf.metrics.bleu import bleu
from interpnet_tf.metrics.cider import cider, cider_d, cider_d_sentences, cider_sentences
from interpnet_tf.metrics.meteor import meteor, meteor_sentences, meteor_unavailable
from interpnet_tf.metrics.rouge import rouge_l, rouge_l_sentences
from interpnet_tf.metrics.score import METRICS, score, score_columns
from interpnet_tf.metrics.table import format_table
from interpnet_tf.metrics.yardsticks import human_row, most_frequent_sentence, variety

__all__ = [
    "METRICS",
    "bleu",
    "cider",
    "cider_d",
    "cider_d_sentences",
    "cider_sentences",
    "format_table",
    "human_row",
    "meteor",
    "meteor_sentences",
    "meteor_unavailable",
    "most_frequent_sentence",
    "rouge_l",
    "rouge_l_sentences",
    "score",
    "score_columns",
    "variety",
]
