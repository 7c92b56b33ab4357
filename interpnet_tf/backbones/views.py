"""What a backbone is shown of a photograph."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CROPS = ("centre", "whole", "five")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")

# RandomResizedCrop of Inception (Szegedy et al., 2015, section 6), with larger crops: a species is told by
# details, but by all of them.
_AREA, _ASPECT = (0.4, 1.0), (3 / 4, 4 / 3)


def find_images(folder: str | os.PathLike) -> tuple[list[str], list[Path]]:
    """Lists the images of a folder.

    Args:
        folder: one that holds `CUB_200_2011`, or that folder itself, for the images of its `images.txt` in
            that order; any other for all images in it and in the folders below, sorted by path.

    Returns:
        The paths relative to the folder of the images, and the paths.

    Raises:
        FileNotFoundError: if there is no such folder, or no image in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FileNotFoundError(f"images: {str(root)!r} is not a folder")
    for cub in (root, root / "CUB_200_2011"):
        if (cub / "images.txt").is_file():
            lines = (cub / "images.txt").read_text("utf-8").splitlines()
            names = [line.split(maxsplit=1)[1].strip() for line in lines if line.strip()]
            return names, [cub / "images" / name for name in names]
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise FileNotFoundError(f"images: {str(root)!r} holds no image ({', '.join(SUFFIXES)})")
    return [path.relative_to(root).as_posix() for path in paths], paths


def fixed_views(
    image: Image.Image, size: int, crop: str = "centre", resize: int | None = None, flip: bool = False
) -> np.ndarray:
    """Cuts the views of an image whose features are averaged.

    Args:
        image: RGB.
        size: height and width of a view, in pixels.
        crop: `"centre"`; `"whole"` squeezes the whole image into the square; `"five"` adds the corners.
        resize: length that the short side is scaled to before a crop, `size` by default.
        flip: whether each view's mirror image follows the views.

    Returns:
        uint8 `(views, size, size, 3)`.

    Raises:
        ValueError: if an argument is wrong.

    Example:

    >>> fixed_views(Image.new("RGB", (40, 30)), size=8, crop="five", resize=10, flip=True).shape
    (10, 8, 8, 3)
    """
    check_views(size, crop, resize)
    resize = resize or size
    if crop == "whole":
        views = [np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))]
    else:
        scale = resize / min(image.size)
        width, height = (max(resize, round(side * scale)) for side in image.size)
        pixels = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))
        centre = ((height - size) // 2, (width - size) // 2)
        corners = [(top, left) for top in (0, height - size) for left in (0, width - size)]
        places = [centre, *corners] if crop == "five" else [centre]
        views = [pixels[top : top + size, left : left + size] for top, left in places]
    if flip:
        views += [view[:, ::-1] for view in views]
    return np.stack(views)


def check_views(size: int, crop: str, resize: int | None) -> None:
    """Raises a `ValueError` unless `fixed_views` can cut such views."""
    if crop not in CROPS:
        raise ValueError(f"crop must be one of {', '.join(CROPS)}, got {crop!r}")
    if resize is not None and resize < size:
        raise ValueError(f"resize must be at least the image size, {size}, got {resize}")
    if resize is not None and crop == "whole":
        raise ValueError(f"resize is for crops, and crop 'whole' has none, got {resize}")


def random_view(image: Image.Image, size: int, random: np.random.Generator) -> np.ndarray:
    """Cuts a random part of an image, of 40 to 100 % of its area, and mirrors it half of the times.

    Returns:
        uint8 `(size, size, 3)`.
    """
    width, height = image.size
    for _ in range(10):
        area = width * height * random.uniform(*_AREA)
        aspect = math.exp(random.uniform(*np.log(_ASPECT)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if w <= width and h <= height:
            break
    else:
        w = h = min(width, height)
    left, top = random.integers(width - w + 1), random.integers(height - h + 1)
    box = (left, top, left + w, top + h)
    view = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box=box))
    return view[:, ::-1] if random.random() < 0.5 else view


def batches_ahead(
    make: Callable[[Any], np.ndarray], items: Sequence[Any], batch_size: int
) -> Iterator[np.ndarray]:
    """Yields `make` of the items, stacked by `batch_size`, and works on the next batch meanwhile."""
    with ThreadPoolExecutor() as pool:
        starts = range(0, len(items), batch_size)
        waiting = [pool.submit(make, item) for item in items[:batch_size]]
        for start in starts:
            batch, waiting = (
                waiting,
                [pool.submit(make, item) for item in items[start + batch_size : start + 2 * batch_size]],
            )
            try:
                yield np.stack([future.result() for future in batch])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
