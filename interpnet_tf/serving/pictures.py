"""What pictures in a request will cost, told by their headers before anything is decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from interpnet_tf.serving.errors import invalid
from interpnet_tf.support.picture_file import read_header

INPUT = "image_bytes"  # by this name exported models read files of pictures


def read_pixels(arrays: Mapping[str, Any]) -> np.ndarray | None:
    """Counts the pixels of the pictures of a request.

    Args:
        arrays: one an input.

    Returns:
        The pixels of each row, int64 `(batch,)`; None if the request has no pictures.

    Raises:
        ServingError: if a file is none that is read, or has too many pixels.
    """
    files = arrays.get(INPUT)
    if files is None or files.dtype != object or files.ndim != 1:
        return None
    return np.array([_pixels(data, row) for row, data in enumerate(files)], np.int64)


def _pixels(data: bytes, row: int) -> int:
    try:
        header = read_header(data)
    except ValueError as error:
        raise invalid(
            f"picture {row} is not read: {error}. Send whole JPEG or PNG files; "
            'in JSON as {"b64": "…"}, base64 of the bytes of the file'
        ) from None
    return header.width * header.height


def slices(pixels: Sequence[int], most: int) -> list[slice]:
    """Divides rows into runs of at most so many pixels each, or of one row."""
    parts, begin, total = [], 0, 0
    for row, count in enumerate(pixels):
        if row > begin and total + count > most:
            parts.append(slice(begin, row))
            begin, total = row, 0
        total += count
    return [*parts, slice(begin, len(pixels))]
