"""Decoders: networks that turn r(x) into words, one word at a time."""

from interpnet_tf.decoders.base import ExplanationDecoder
from interpnet_tf.decoders.lrcn import LRCNDecoder
from interpnet_tf.decoders.transformer import TransformerDecoder

__all__ = ["ExplanationDecoder", "LRCNDecoder", "TransformerDecoder", "get"]

NAMES = {"lrcn": LRCNDecoder, "transformer": TransformerDecoder}


def get(
    identifier: str | ExplanationDecoder, vocabulary_size: int, max_length: int | None = None, **options
) -> ExplanationDecoder:
    """Returns the decoder that `identifier` names, or `identifier` itself where it is one.

    Args:
        identifier: `"lrcn"`, `"transformer"` or an `ExplanationDecoder`.
        vocabulary_size: number of ids of the tokenizer, which the decoder must predict.
        max_length: the most words a sentence may have, for a named decoder that limits them.
        **options: passed on to the constructor of a named decoder, such as `seed` or `dtype`.

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
    return NAMES[identifier](vocabulary_size=vocabulary_size, **options)
