"""Reads image files into arrays of one size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps


def read_image(path: str | os.PathLike, size: int = 128) -> np.ndarray:
    """Reads one image file as a square RGB array.

    The short side is resized to `size` and the centre is cropped. A camera's orientation mark is obeyed.

    Args:
        path: of a JPEG, PNG or any other file that Pillow reads.
        size: height and width of the result, in pixels.

    Returns:
        A uint8 array `(size, size, 3)` with values 0..255.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not a readable image.

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
    # A JPEG decodes several times faster at a fraction of its size; twice the wanted size is left for the
    # resize, which loses no visible detail.
    image = open_image(path, least_size=2 * size)
    return np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC))


def open_image(path: str | os.PathLike, least_size: int | None = None) -> Image.Image:
    """Reads an image file as RGB, a camera's orientation mark obeyed.

    Args:
        path: of the file.
        least_size: a JPEG may come smaller than it is, but not below this height and width, in pixels.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a readable image.
    """
    try:
        with Image.open(path) as image:
            if least_size is not None:
                image.draft("RGB", (least_size, least_size))
            return ImageOps.exif_transpose(image).convert("RGB")
    except (FileNotFoundError, IsADirectoryError):
        raise FileNotFoundError(f"there is no image file {os.fspath(path)!r}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{os.fspath(path)!r} cannot be read as an image ({error}); replace or remove it"
        ) from error


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
