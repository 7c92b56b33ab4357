"""One page that shows what a trained network says of its examples, how good it is, and what it rests on."""

from interpnet_tf.support.lazy_names import lazy_names

_PUBLIC = {
    "Audit": "interpnet_tf.analysis.report.page",
    "AuditRow": "interpnet_tf.analysis.report.page",
    "Carried": "interpnet_tf.analysis.report.carried",
    "write_report": "interpnet_tf.analysis.report.page",
}

__all__ = list(_PUBLIC)

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
