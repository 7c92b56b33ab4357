"""Do the sentences say what the network decided by? Metrics, and controls that cannot pass them.

`faithfulness` computes all `METRICS` and puts the controls beside them; each metric is a function of a
`Material` that gives one figure an example.
"""

from interpnet_tf.support.lazy_names import lazy_names

_ROOM = "interpnet_tf.analysis.faithfulness_metrics"
_PUBLIC = {
    "METRICS": f"{_ROOM}.registry",
    "Material": f"{_ROOM}.material",
    "Metric": f"{_ROOM}.registry",
    "faithfulness": f"{_ROOM}.measuring",
    "permuted_labels": f"{_ROOM}.retrained",
    "report": f"{_ROOM}.table",
    "shuffled_r": f"{_ROOM}.retrained",
    "words_changed": f"{_ROOM}.randomised",
}

__all__ = list(_PUBLIC)

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
