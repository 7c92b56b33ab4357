"""What explanations look like, and what they rest on.

`patch` gives a classifier some activations of another example and says what becomes of class and sentence.
"""

import importlib

# Imported when they are used: drawing pictures needs no TensorFlow, and explaining no matplotlib.
_PUBLIC = {
    "Patched": "patching",
    "patch": "patching",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'interpnet_tf.analysis' has no attribute {name!r}")
    return getattr(importlib.import_module(f"interpnet_tf.analysis.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
