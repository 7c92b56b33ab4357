"""What explanations look like, and what they rest on.

`attribute` and `attribute_decision` tell which layers made words, and the class, as probable as they are.
`patch` gives a classifier some activations of another example and says what becomes of class and sentence.
"""

import importlib

# Imported when they are used: drawing pictures needs no TensorFlow, and explaining no matplotlib.
_PUBLIC = {
    "METHODS": "interpnet_tf.attribution",
    "Attribution": "interpnet_tf.attribution",
    "DecisionAttribution": "interpnet_tf.attribution",
    "Patched": "interpnet_tf.analysis.patching",
    "attribute": "interpnet_tf.attribution",
    "attribute_decision": "interpnet_tf.attribution",
    "patch": "interpnet_tf.analysis.patching",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'interpnet_tf.analysis' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
