"""The features of pairs of sentences: both vectors, how they differ, and where they agree."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from interpnet_tf.backbones.row_file import RowFile
from interpnet_tf.backbones.sentence_encoder import SentenceEncoder
from interpnet_tf.data.feature_files import check_out
from interpnet_tf.support.atomic import replacing


def pair_features(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the features of pairs of sentences (Conneau et al., 2017, section 3.1).

    Args:
        first, second: vectors of the sentences, `(pairs, width)`.

    Returns:
        `(pairs, 4 * width)`: p, h, |p - h| and p · h, number by number.

    Example:

    >>> pair_features(np.array([[0.5, 2.0]]), np.array([[1.0, -1.0]]))
    array([[ 0.5,  2. ,  1. , -1. ,  0.5,  3. ,  0.5, -2. ]])

    References:
        - [Conneau et al., 2017: InferSent](https://arxiv.org/abs/1705.02364)
    """
    return np.concatenate([first, second, np.abs(first - second), first * second], axis=-1)


def extract_pairs(
    encoder: SentenceEncoder,
    pairs: Sequence[tuple[str, str]],
    out: str | os.PathLike,
    ids: Sequence[str],
    *,
    batch_size: int = 64,
    settings: dict[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Computes the features of pairs of sentences and writes them, `(pairs, 4 * width)` in float16.

    Each sentence is read once, however many pairs it is in, and beside sentences of its length. While the
    work lasts, what is finished lies in the folder `<out>.partial`, from which the same call goes on.

    Args:
        encoder: makes a vector of each sentence.
        pairs: the two sentences of each pair.
        out: path of the `.npz` file, with arrays `features` and `ids`.
        ids: a name for each pair.
        batch_size: sentences a batch.
        settings: anything else that the features depend on, such as the name of the backbone.
        progress: called after each batch with the number of finished and of all sentences.

    Returns:
        The features.

    Raises:
        ValueError: if `out` is no `.npz` file, or was begun with other sentences.
    """
    out = Path(out)
    check_out(out)
    sentences = list(dict.fromkeys(sentence for pair in pairs for sentence in pair))
    tokens = dict(zip(sentences, encoder.ids(sentences), strict=True))
    sentences.sort(key=lambda sentence: len(tokens[sentence]))
    digest = hashlib.sha256("\n".join(sentences).encode()).hexdigest()
    shape = (len(sentences), encoder.width)
    partial = RowFile(
        out.with_name(f"{out.name}.partial"), shape, "float32", {"sentences": digest, **(settings or {})}
    )
    for start in range(partial.done, len(sentences), batch_size):
        batch = sentences[start : start + batch_size]
        partial.append(encoder.vectors([tokens[sentence] for sentence in batch]))
        if progress is not None:
            progress(partial.done, len(sentences))
    row_of = {sentence: row for row, sentence in enumerate(sentences)}
    first, second = np.array([[row_of[sentence] for sentence in pair] for pair in pairs]).T
    features = np.empty((len(pairs), 4 * encoder.width), "float16")
    for start in range(0, len(pairs), 4096):  # in float32 all at once would take twice the memory of the rest
        part = slice(start, start + 4096)
        features[part] = pair_features(partial.rows[first[part]], partial.rows[second[part]])
    with replacing(out) as temporary:
        np.savez(temporary, features=features, ids=np.array(ids))
    partial.remove()
    return features
