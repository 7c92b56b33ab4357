"""Speakers: other ways to choose what to say of r(x), with a trained model as it is.

`Pragmatic` prefers what lets a listener tell the predicted class from the others; `MinimumBayesRisk` says
what agrees best with everything the model might have said; `Reasons` what carried the decision. All return
the records of `InterpNet.explain`.
"""

from interpnet_tf.support.lazy_names import lazy_names

# Imported when they are used, so that `speakers.settings` is read without TensorFlow.
_PUBLIC = {
    "ContrastedDecoder": "interpnet_tf.speakers.contrasted_decoder",
    "ListenedDecoder": "interpnet_tf.speakers.listened_decoder",
    "MinimumBayesRisk": "interpnet_tf.speakers.minimum_bayes_risk",
    "Pragmatic": "interpnet_tf.speakers.pragmatic",
    "Reasons": "interpnet_tf.speakers.reasons",
    "SentenceListener": "interpnet_tf.speakers.sentence_listener",
}

__all__ = list(_PUBLIC)

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
