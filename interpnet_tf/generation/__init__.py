"""From r(x) to sentences: the loop over a decoder's steps, its options, and the records made of it."""

from interpnet_tf.generation.decoding import Decoding
from interpnet_tf.generation.loop import Sentences, generate, silence

__all__ = ["Decoding", "Sentences", "generate", "silence"]
