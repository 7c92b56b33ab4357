"""An audit: what a network decides by, what its sentences say, and whether the two agree."""

from interpnet_tf.support.lazy_names import lazy_names

_PUBLIC = {
    "audit": "interpnet_tf.analysis.auditing.measuring",
    "foretold": "interpnet_tf.analysis.auditing.foretelling",
    "for_report": "interpnet_tf.analysis.auditing.table",
    "report": "interpnet_tf.analysis.auditing.table",
}

__all__ = list(_PUBLIC)

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
