"""Speakers: other ways to choose what to say of r(x), with a trained model as it is.

`Pragmatic` prefers what lets a listener tell the predicted class from the others; `MinimumBayesRisk` says
what agrees best with everything the model might have said. Both return the records of `InterpNet.explain`.
"""

from interpnet_tf.speakers.contrasted_decoder import ContrastedDecoder
from interpnet_tf.speakers.listened_decoder import ListenedDecoder
from interpnet_tf.speakers.minimum_bayes_risk import MinimumBayesRisk
from interpnet_tf.speakers.pragmatic import Pragmatic
from interpnet_tf.speakers.sentence_listener import SentenceListener

__all__ = ["ContrastedDecoder", "ListenedDecoder", "MinimumBayesRisk", "Pragmatic", "SentenceListener"]
