"""Caltech-UCSD Birds 200-2011 with the sentences that Reed et al. collected for it."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.feature_files import find_features, read_features
from interpnet_tf.data.images import open_image, read_images

SPLITS = ("train", "validation", "test", "trainval")


def load(
    root: str | os.PathLike,
    split: str,
    features: str | os.PathLike | Literal[False] | None = None,
    *,
    image_size: int = 128,
    validation_fraction: float = 0.1,
    seed: int = 0,
) -> ExplanationDataset:
    """Loads one split of CUB-200-2011 and its sentences.

    The folder `root` holds the two archives as their authors published them, and may hold features:

        CUB_200_2011/{images,image_class_labels,train_test_split,classes}.txt
        CUB_200_2011/images/<species>/<name>.jpg
        text_c10/<species>/<name>.txt           ten sentences an image, one a line
        features/<any name>.npz                 optional

    An image without sentences stays in the data set, with an empty list: the classifier learns from it.

    Args:
        root: the folder that holds `CUB_200_2011` and `text_c10`, or `CUB_200_2011` itself with
            `text_c10` beside it.
        split: `"test"` is the official test split. `"trainval"` is the official training split, which
            `"train"` and `"validation"` divide, so that no test image decides when training stops.
        features: path of an `.npz` file, such as `interpnet features` writes, whose array `features`
            `(images, width)` has one row an image in the order of `images.txt`, to be used as inputs;
            `None` for the one file in `root/features`, or the photographs where there is none; `False` for
            the photographs.
        image_size: height and width of the photographs, in pixels: the short side is resized to it and
            the centre cropped.
        validation_fraction: share of each species' official training images in `"validation"`.
        seed: of the draw of the validation images.

    Returns:
        An `ExplanationDataset`. `inputs` is float32 `(examples, width)` for features, uint8
        `(examples, image_size, image_size, 3)` for photographs; `ids` are the paths in `images.txt`.

    Raises:
        FileNotFoundError: if a file or folder is missing.
        ValueError: if an argument or the contents of a file are wrong.

    Example:

    >>> train = load("data/cub", "train")  # doctest: +SKIP
    >>> train.inputs.shape, train.class_names[0]  # doctest: +SKIP
    ((5394, 1280), 'Black footed Albatross')

    References:
        - [Wah et al., 2011: The Caltech-UCSD Birds-200-2011 Dataset](
          https://www.vision.caltech.edu/datasets/cub_200_2011/)
        - [Reed et al., 2016: Learning Deep Representations of Fine-Grained Visual Descriptions](
          https://arxiv.org/abs/1605.05395), section 4
    """
    folder, text_folder = _find_folders(Path(root))
    names, *lists = read_lists(folder)
    dataset = _select(folder, text_folder, names, *lists, split, validation_fraction, seed)
    path = find_features(features, text_folder.parent, "the photographs")
    if path is None:
        inputs = read_images([folder / "images" / name for name in dataset.ids], image_size)
    else:
        inputs = read_features(path, names, "images.txt")[dataset.inputs]
    return dataclasses.replace(dataset, inputs=inputs)


def image_paths(
    root: str | os.PathLike, split: str, *, validation_fraction: float = 0.1, seed: int = 0
) -> tuple[list[Path], np.ndarray]:
    """Returns the paths of a split's photographs and their classes, in the order of `load`.

    Args:
        root, split, validation_fraction, seed: see `load`.

    Returns:
        The paths, and the class ids, int32 `(examples,)`.
    """
    folder, text_folder = _find_folders(Path(root))
    dataset = _select(folder, text_folder, *read_lists(folder), split, validation_fraction, seed)
    return [folder / "images" / name for name in dataset.ids], dataset.labels


def photograph(root: str | os.PathLike, name: str) -> Image.Image | None:
    """Returns a photograph at its full size, `None` where it is not on the disk.

    Args:
        root: see `load`.
        name: its path in `images.txt`, as the `ids` of the data set have it.
    """
    path = find_folder(Path(root)) / "images" / name
    return open_image(path) if path.is_file() else None


def _select(
    folder: Path,
    text_folder: Path,
    names: list[str],
    labels: np.ndarray,
    in_test: np.ndarray,
    class_names: list[str],
    split: str,
    validation_fraction: float,
    seed: int,
) -> ExplanationDataset:
    """Returns the examples of a split, whose inputs are their rows in `images.txt`."""
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    if not 0 < validation_fraction < 1:
        raise ValueError(f"validation_fraction must lie between 0 and 1, got {validation_fraction}")
    rows = np.flatnonzero(in_test == (split == "test"))
    dataset = ExplanationDataset(
        inputs=rows,
        labels=labels[rows],
        class_names=class_names,
        explanations=[_read_sentences(text_folder / names[row]) for row in rows],
        ids=[names[row] for row in rows],
    )
    if split in ("train", "validation"):
        train, validation = dataset.split(validation_fraction, seed)
        dataset = train if split == "train" else validation
    if not len(dataset):
        raise ValueError(
            f"split {split!r} is empty: {folder / 'train_test_split.txt'} has {int(in_test.sum())} test and "
            f"{int((~in_test).sum())} training images, and validation_fraction is {validation_fraction}"
        )
    return dataset


def find_folder(root: Path) -> Path:
    """Returns the folder `CUB_200_2011`: in `root`, or `root` itself."""
    if not root.is_dir():
        raise FileNotFoundError(f"root {str(root)!r} is not a folder; it must hold CUB_200_2011 and text_c10")
    folder = root if (root / "images.txt").is_file() else root / "CUB_200_2011"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"root {str(root)!r} holds no folder CUB_200_2011 and is not that folder itself (no images.txt); "
            "give the folder that CUB_200_2011.tgz was unpacked in"
        )
    return folder


def _find_folders(root: Path) -> tuple[Path, Path]:
    """Returns the folders `CUB_200_2011` and `text_c10`."""
    folder = find_folder(root)
    text_folder = root.absolute().parent / "text_c10" if folder == root else root / "text_c10"
    if next(text_folder.glob("*/*.txt"), None) is None:
        raise FileNotFoundError(
            f"{str(text_folder)!r} holds no <species>/<name>.txt; unpack the sentences of Reed et al. "
            "(https://github.com/reedscott/cvpr2016) so that text_c10 lies beside CUB_200_2011"
        )
    return folder, text_folder


def read_lists(folder: Path) -> tuple[list[str], np.ndarray, np.ndarray, list[str]]:
    """Returns each image's path, label and membership of the test split, and the class names."""
    names = read_list(folder / "images.txt", r"\S.*", "<image id> <species>/<name>.jpg")
    classes = read_list(folder / "classes.txt", r"\S.*", "<class id> <number>.<species>")
    class_of = read_list(folder / "image_class_labels.txt", r"\d+", "<image id> <class id>")
    is_training = read_list(
        folder / "train_test_split.txt", r"[01]", "<image id> <1 for training, 0 for test>"
    )
    label_of_class = {class_id: label for label, class_id in enumerate(classes)}
    for image_id, name in names.items():
        for entries, file in ((class_of, "image_class_labels.txt"), (is_training, "train_test_split.txt")):
            if image_id not in entries:
                raise ValueError(f"{folder / file} has no line for image {image_id} of images.txt, {name!r}")
        if int(class_of[image_id]) not in label_of_class:
            raise ValueError(
                f"{folder / 'image_class_labels.txt'} gives image {image_id} the class {class_of[image_id]}, "
                "which classes.txt does not list"
            )
    return (
        list(names.values()),
        np.array([label_of_class[int(class_of[image_id])] for image_id in names], dtype="int32"),
        np.array([is_training[image_id] == "0" for image_id in names], dtype=bool),
        [re.sub(r"^\d+\.", "", name).replace("_", " ") for name in classes.values()],
    )


def read_list(path: Path, pattern: str, form: str) -> dict[int, str]:
    """Reads a file of lines `<id> <value>`, where `pattern` matches every value."""
    entries = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        match = re.fullmatch(rf"(\d+)\s+({pattern})", line.strip())
        if match is None:
            raise ValueError(f"{path}:{number}: expected '{form}', got {line!r}")
        if int(match[1]) in entries:
            raise ValueError(f"{path}:{number}: the id {match[1]} stands in an earlier line too")
        entries[int(match[1])] = match[2]
    return entries


def _read_sentences(path: Path) -> list[str]:
    """Returns the sentences for the image at `path` under `text_c10`, an empty list where it has none."""
    path = path.with_suffix(".txt")
    lines = read_text(path).split("\n") if path.is_file() else []
    return [line.strip() for line in lines if line.strip()]


def read_text(path: Path) -> str:
    """Reads a text file of the archive."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FileNotFoundError(f"{str(path)!r} is missing; unpack the archive that holds it again") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text ({error}); unpack the archive that holds it again"
        ) from None
