"""Speakers: other ways to choose what to say of r(x), with a trained model as it is.

`Pragmatic` prefers what lets a listener tell the predicted class from the others; `MinimumBayesRisk` says
what agrees best with everything the model might have said. Both return the records of `InterpNet.explain`.
"""

import importlib

# Imported when they are used, so that `speakers.settings` is read without TensorFlow.
_PUBLIC = {
    "ContrastedDecoder": "contrasted_decoder",
    "ListenedDecoder": "listened_decoder",
    "MinimumBayesRisk": "minimum_bayes_risk",
    "Pragmatic": "pragmatic",
    "SentenceListener": "sentence_listener",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'interpnet_tf.speakers' has no attribute {name!r}")
    return getattr(importlib.import_module(f"interpnet_tf.speakers.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
