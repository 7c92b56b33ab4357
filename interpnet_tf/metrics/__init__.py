"""Scores of generated explanations against the sentences that people wrote.

`score` runs every n-gram metric; `yardsticks` gives the rows that belong beside a score: a constant sentence,
a human one and others, and how varied the sentences are. `Judge` adds what n-grams cannot see: whether a
sentence tells its class (read-back, class relevance), its image (self-retrieval) and the truth; and
`paired_bootstrap` says whether a difference is more than chance.
"""

from interpnet_tf.metrics.bleu import bleu
from interpnet_tf.metrics.bootstrap import paired_bootstrap
from interpnet_tf.metrics.cider import cider, cider_d, cider_d_sentences, cider_sentences
from interpnet_tf.metrics.judge import Judge
from interpnet_tf.metrics.meteor import meteor, meteor_sentences, meteor_unavailable
from interpnet_tf.metrics.read_back import ReadBack
from interpnet_tf.metrics.rouge import rouge_l, rouge_l_sentences
from interpnet_tf.metrics.score import METRICS, score, score_columns
from interpnet_tf.metrics.table import format_table
from interpnet_tf.metrics.yardsticks import (
    human_row,
    most_frequent_sentence,
    nearest_neighbour,
    random_sentence_of_class,
    variety,
)

__all__ = [
    "METRICS",
    "Judge",
    "ReadBack",
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
    "nearest_neighbour",
    "paired_bootstrap",
    "random_sentence_of_class",
    "rouge_l",
    "rouge_l_sentences",
    "score",
    "score_columns",
    "variety",
]
