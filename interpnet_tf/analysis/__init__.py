"""What explanations look like, and what they rest on.

`attribute` and `attribute_decision` tell which layers made words, and the class, as probable as they are.
`ReasonScores` tells how much of a decision rests on what a phrase says. `plot` draws attributions. `patch`
gives a classifier some activations of another example and says what becomes of class and sentence.
`faithfulness` measures whether sentences say what the network decided by, see `faithfulness_metrics`.
`ExplanationMonitor` shows explanations during `fit`. `Confidence` knows how probably a sentence is true, and
says nothing where that is too low. `audit` puts what
decisions rest on beside what sentences say. `report` writes a page about a trained network.
"""

from interpnet_tf.support.lazy_names import lazy_names

# Imported when they are used: drawing pictures needs no TensorFlow, and explaining no matplotlib.
_PUBLIC = {
    "METHODS": "interpnet_tf.attribution",
    "Attribution": "interpnet_tf.attribution",
    "Confidence": "interpnet_tf.analysis.abstention.confidence",
    "DecisionAttribution": "interpnet_tf.attribution",
    "ExplanationMonitor": "interpnet_tf.analysis.monitor",
    "FactsTrue": "interpnet_tf.analysis.abstention.criteria",
    "Patched": "interpnet_tf.analysis.patching",
    "PhrasesTrue": "interpnet_tf.analysis.abstention.criteria",
    "ReasonScores": "interpnet_tf.attribution",
    "TellsClass": "interpnet_tf.analysis.abstention.criteria",
    "audit": "interpnet_tf.analysis.auditing.measuring",
    "attribute": "interpnet_tf.attribution",
    "attribute_decision": "interpnet_tf.attribution",
    "calibration": "interpnet_tf.analysis.abstention.curves",
    "faithfulness": "interpnet_tf.analysis.faithfulness_metrics",
    "patch": "interpnet_tf.analysis.patching",
    "risk_coverage": "interpnet_tf.analysis.abstention.curves",
}
_MODULES = {
    "auditing": "interpnet_tf.analysis.auditing",
    "faithfulness_metrics": "interpnet_tf.analysis.faithfulness_metrics",
    "plot": "interpnet_tf.analysis.plot",
    "report": "interpnet_tf.analysis.report",
}

__all__ = [*_PUBLIC, *_MODULES]  # noqa: PLE0604

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC, _MODULES)
