"""Decoders: networks that turn r(x) into words, one word at a time."""

import math

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.decoders.lrcn import LRCNDecoder
from interpnet_tf.decoders.transformer import TransformerDecoder

__all__ = ["ExplanationDecoder", "LRCNDecoder", "TransformerDecoder", "get", "units_for"]

NAMES = {"lrcn": LRCNDecoder, "transformer": TransformerDecoder}


def get(
    identifier: str | ExplanationDecoder, vocabulary_size: int, max_length: int | None = None, **options
) -> ExplanationDecoder:
    """Returns the decoder that `identifier` names, or `identifier` itself where it is one.

    Args:
        identifier: `"lrcn"`, `"transformer"` or an `ExplanationDecoder`.
        vocabulary_size: number of ids of the tokenizer, which the decoder must predict.
        max_length: the most words a sentence may have, for a named decoder that limits them.
        **options: passed on to the constructor of a named decoder, such as `seed` or `dtype`. Without `units`
            its layers are as wide as `units_for` tells.

    Raises:
        ValueError: if the name is unknown, or the decoder predicts another vocabulary.

    Example:

    >>> get("lrcn", vocabulary_size=100).vocabulary_size
    100
    """
    if isinstance(identifier, ExplanationDecoder):
        if identifier.vocabulary_size != vocabulary_size:
            raise ValueError(
                f"the decoder predicts {identifier.vocabulary_size} ids, the tokenizer has "
                f"{vocabulary_size}; build the decoder with vocabulary_size=tokenizer.vocabulary_size"
            )
        return identifier
    if identifier not in NAMES:
        raise ValueError(
            f"decoder must be an ExplanationDecoder or one of {sorted(NAMES)}, got {identifier!r}"
        )
    if identifier == "transformer" and max_length is not None:
        options["max_length"] = max_length
    options.setdefault("units", units_for(identifier, vocabulary_size))
    return NAMES[identifier](vocabulary_size=vocabulary_size, **options)


def units_for(name: str, vocabulary_size: int) -> int:
    """Returns how wide the layers of a decoder are where nobody says it.

    They grow with the root of the vocabulary, which itself grows with the number of sentences, up to the
    paper's 512 of the LSTM at 785 words; the Transformer's are half as wide. A decoder of 512 has four
    million weights, which few sentences of few words cannot teach and do not need.

    Args:
        name: `"lrcn"` or `"transformer"`.
        vocabulary_size: number of ids of the tokenizer.

    Example:

    >>> [units_for("lrcn", words) for words in (15, 90, 947)]
    [64, 192, 512]
    """
    step, most = (32, 256) if name == "transformer" else (64, 512)
    return min(most, step * math.ceil(math.sqrt(vocabulary_size) / 4))
