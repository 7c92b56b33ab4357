"""InterpNET on Keras and TensorFlow: networks that explain their classifications in words."""

from interpnet_tf.support.lazy_names import lazy_names

__version__ = "0.1.0"

# Every public name and the module that defines it. Importing TensorFlow takes seconds, so that a
# name is imported when it is first used: `interpnet --help` must answer at once.
_PUBLIC = {
    "CompactBilinearPooling": "interpnet_tf.introspection.compact_bilinear",
    "Explanation": "interpnet_tf.generation.explanation",
    "ExplanationDataset": "interpnet_tf.data.dataset",
    "ExplanationDecoder": "interpnet_tf.decoders.base",
    "ExplanationTokenizer": "interpnet_tf.language.tokenizer",
    "InterpNet": "interpnet_tf.model",
    "Introspector": "interpnet_tf.introspection.introspector",
    "LRCNDecoder": "interpnet_tf.decoders.lrcn",
    "TransformerDecoder": "interpnet_tf.decoders.transformer",
    "keep_freed_memory": "interpnet_tf.support.memory",
    "load": "interpnet_tf.model",
}
# The modules that users name, and where they lie.
_MODULES = {
    "analysis": "interpnet_tf.analysis",
    "classifiers": "interpnet_tf.classifiers",
    "data": "interpnet_tf.data",
    "decoders": "interpnet_tf.decoders",
    "evaluation": "interpnet_tf.runs.evaluation",
    "metrics": "interpnet_tf.metrics",
    "quiet": "interpnet_tf.support.quiet",
    "speakers": "interpnet_tf.speakers",
    "testing": "interpnet_tf.testing",
    "training": "interpnet_tf.training",
}

__all__ = ["__version__", *sorted(_PUBLIC), *_MODULES]  # noqa: PLE0604

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC, _MODULES)
