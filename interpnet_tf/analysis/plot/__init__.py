"""Figures of what explanations rest on. Each function returns a matplotlib `Figure` and shows nothing.

The figures are made without `pyplot`, so that nothing of it is changed. Write one to a file with
`figure.savefig("birds.png")`; a notebook shows it once `matplotlib.pyplot` is imported.
"""

from interpnet_tf.support.lazy_names import lazy_names

_PUBLIC = {
    "heat_maps": "interpnet_tf.analysis.plot.maps",
    "layer_reliance": "interpnet_tf.analysis.plot.reliance",
    "layer_shares": "interpnet_tf.analysis.plot.reliance",
    "risk_coverage": "interpnet_tf.analysis.plot.curves",
    "training_curves": "interpnet_tf.analysis.plot.curves",
    "words_by_layer": "interpnet_tf.analysis.plot.words",
}

__all__ = list(_PUBLIC)

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
