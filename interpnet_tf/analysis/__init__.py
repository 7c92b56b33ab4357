"""What explanations look like, and what they rest on.

`attribute` and `attribute_decision` tell which layers made words, and the class, as probable as they are.
`plot` draws that. `patch` gives a classifier some activations of another example and says what becomes of
class and sentence. `faithfulness` measures whether sentences say what the network decided by, see
`faithfulness_metrics`. `ExplanationMonitor` shows explanations during `fit`.
"""

from interpnet_tf.support.lazy_names import lazy_names

# Imported when they are used: drawing pictures needs no TensorFlow, and explaining no matplotlib.
_PUBLIC = {
    "METHODS": "interpnet_tf.attribution",
    "Attribution": "interpnet_tf.attribution",
    "DecisionAttribution": "interpnet_tf.attribution",
    "ExplanationMonitor": "interpnet_tf.analysis.monitor",
    "Patched": "interpnet_tf.analysis.patching",
    "attribute": "interpnet_tf.attribution",
    "attribute_decision": "interpnet_tf.attribution",
    "faithfulness": "interpnet_tf.analysis.faithfulness_metrics",
    "patch": "interpnet_tf.analysis.patching",
}
_MODULES = {
    "faithfulness_metrics": "interpnet_tf.analysis.faithfulness_metrics",
    "plot": "interpnet_tf.analysis.plot",
}

__all__ = [*_PUBLIC, *_MODULES]  # noqa: PLE0604

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC, _MODULES)
