"""Sentences where nobody wrote any: what is true of the rows of a table, and whether sentences are true."""

from interpnet_tf.data.verbalizer import examples
from interpnet_tf.data.verbalizer.judging import Judgement
from interpnet_tf.data.verbalizer.reading import Reading
from interpnet_tf.data.verbalizer.templates import Saying, Templates
from interpnet_tf.data.verbalizer.verbalizer import Verbalizer
from interpnet_tf.data.verbalizer.vocabulary import Fact

__all__ = ["Fact", "Judgement", "Reading", "Saying", "Templates", "Verbalizer", "examples"]
