"""Resolves the name of a data set, as the command line takes it."""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
from pathlib import Path
from typing import Any

from interpnet_tf.data.dataset import ExplanationDataset

NAMES = ("cub", "esnli", "sketchbirds")
RECORD_SUFFIXES = (".csv", ".jsonl")


def load(
    data: str, split: str, root: str | os.PathLike | None = None, seed: int = 0, **options: Any
) -> ExplanationDataset:
    """Loads one split of a data set given by name or by path.

    Args:
        data: `"cub"`, `"esnli"`, `"sketchbirds"`, or the path of a `.csv` or `.jsonl` file of records.
        split: such as `"train"`, `"validation"` or `"test"`.
        root: the folder of a data set that is not embedded, such as `cub` and `esnli`.
        seed: of the draws that the data set makes.
        **options: other arguments of the data set's own `load`.

    Returns:
        An `ExplanationDataset`.

    Raises:
        ValueError: if there is no such data set or option of it, or if it needs a root and has none, or the
            reverse.

    Example:

    >>> load("cup", "train")
    Traceback (most recent call last):
    ...
    ValueError: unknown data set 'cup': did you mean 'cub'? Known are cub, esnli, sketchbirds and the \
path of a .csv or .jsonl file
    """
    is_records = Path(data).suffix.lower() in RECORD_SUFFIXES
    if not is_records and data not in NAMES:
        close = difflib.get_close_matches(data, NAMES, n=1)
        hint = f"did you mean {close[0]!r}? Known" if close else "known"
        raise ValueError(
            f"unknown data set {data!r}: {hint} are {', '.join(NAMES)} and the path of a "
            f"{' or '.join(RECORD_SUFFIXES)} file"
        )
    read = importlib.import_module(f"interpnet_tf.data.{'records' if is_records else data}").load
    parameters = set(inspect.signature(read).parameters)
    known = parameters - {"split", "seed", "path", "root"}
    if unknown := sorted(options.keys() - known):
        raise ValueError(
            f"data set {data!r} has no option {', '.join(unknown)}, only {', '.join(sorted(known))}"
        )
    if "root" in parameters:
        if root is None:
            raise ValueError(f"data set {data!r} needs a root (--root): the folder that holds its files")
        options["root"] = root
    elif root is not None:
        raise ValueError(f"data set {data!r} takes no root (--root), got {str(root)!r}; leave it out")
    if is_records:
        options["path"] = data
    return read(split=split, seed=seed, **options)
