"""Reads image files into arrays of one size."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image

from interpnet_tf.support import picture_file
from interpnet_tf.support.errors import reading


def read_image(path: str | os.PathLike, size: int = 128) -> np.ndarray:
    """Reads one image file as a square RGB array.

    The short side is resized to `size` and the centre is cropped. A camera's orientation mark is obeyed.
    Which files are read, and how, is told in `interpnet_tf.support.picture_file`: exported models and phones
    read the same files in the same way.

    Args:
        path: of a JPEG, PNG or BMP file.
        size: height and width of the result, in pixels.

    Returns:
        A uint8 array `(size, size, 3)` with values 0..255.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not a picture that is read; the message says why.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (40, 30), "red").save(f"{folder}/red.png")
    ...     pixels = read_image(f"{folder}/red.png", size=8)
    >>> pixels.shape, pixels[0, 0].tolist()
    ((8, 8, 3), [255, 0, 0])
    """
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"size must be a positive number of pixels, got {size!r}")
    return _read(path, lambda data: picture_file.square(data, size))


def open_image(path: str | os.PathLike) -> Image.Image:
    """Reads an image file as RGB at its full size, a camera's orientation mark obeyed.

    Args:
        path: of a file as `read_image` reads it.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a picture that is read.
    """
    return _read(path, picture_file.decode)


def _read(path: str | os.PathLike, decode: Callable[[bytes], Any]) -> Any:
    try:
        with reading(path, "an image", "replace or remove it"), open(path, "rb") as file:
            return decode(file.read())
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no image file {os.fspath(path)!r}") from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{os.fspath(path)!r} is a folder; name the image files in it") from None


def read_images(
    paths: Sequence[str | os.PathLike], size: int = 128, origins: Sequence[str] | None = None
) -> np.ndarray:
    """Reads image files as `read_image` does, several at a time.

    Args:
        paths: of the files.
        size: height and width of every image, in pixels.
        origins: for each path the place that names it, such as `"birds.csv:17"`, to begin an error
            message with.

    Returns:
        A uint8 array `(images, size, size, 3)`.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file is not a readable image.
    """

    def read_into(index: int) -> None:
        try:
            images[index] = read_image(paths[index], size)
        except (FileNotFoundError, ValueError) as error:
            if origins is None:
                raise
            raise type(error)(f"{origins[index]}: {error}") from error

    images = np.empty((len(paths), size, size, 3), dtype="uint8")
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(read_into, range(len(paths))):
            pass
    return images
