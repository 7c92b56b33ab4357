"""Do the sentences say what the network decided by? Metrics, and controls that cannot pass them.

`faithfulness` computes all `METRICS` and puts the controls beside them; each metric is a function of a
`Material` that gives one figure an example.
"""

from interpnet_tf.support.lazy_names import lazy_names

_PUBLIC = {
    "METRICS": "interpnet_tf.analysis.faithfulness_metrics.registry",
    "Material": "interpnet_tf.analysis.faithfulness_metrics.material",
    "Metric": "interpnet_tf.analysis.faithfulness_metrics.registry",
    "completeness": "interpnet_tf.analysis.faithfulness_metrics.erasure",
    "faithfulness": "interpnet_tf.analysis.faithfulness_metrics.measuring",
    "mu_fidelity": "interpnet_tf.analysis.faithfulness_metrics.erasure",
    "permuted_labels": "interpnet_tf.analysis.faithfulness_metrics.retrained",
    "report": "interpnet_tf.analysis.faithfulness_metrics.table",
    "shuffled_r": "interpnet_tf.analysis.faithfulness_metrics.retrained",
    "words_changed": "interpnet_tf.analysis.faithfulness_metrics.randomised",
}

__all__ = list(_PUBLIC)

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
