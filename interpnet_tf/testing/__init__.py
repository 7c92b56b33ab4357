"""Contracts that parts of one's own can be checked against."""

from interpnet_tf.testing.decoder_contract import check_decoder_contract

__all__ = ["check_decoder_contract"]
