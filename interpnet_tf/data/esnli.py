"""e-SNLI: does one sentence follow from another, and how people explain that."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.feature_files import find_features, read_features
from interpnet_tf.language.text import check_encodable, has_words

SPLITS = ("train", "validation", "test", "trainval")
CLASS_NAMES = ["neutral", "entailment", "contradiction"]

# The names of the columns, in the files of the authors and in those that number the labels.
_OFFICIAL = {"id": "pairID", "label": "gold_label", "premise": "Sentence1", "hypothesis": "Sentence2"}
_NUMBERED = {"id": "unique_key", "label": "label", "premise": "premise", "hypothesis": "hypothesis"}
_FILES = {
    "train": (("esnli_train_1.csv", "esnli_train_2.csv"), ("train.tsv",)),
    "dev": (("esnli_dev.csv",), ("dev.tsv",)),
    "test": (("esnli_test.csv",), ("test.tsv",)),
}


def load(
    root: str | os.PathLike,
    split: str,
    features: str | os.PathLike | Literal[False] | None = None,
    *,
    validation_fraction: float = 0.1,
    seed: int = 0,
) -> ExplanationDataset:
    """Loads one split of e-SNLI: pairs of sentences, and people's explanations of their labels.

    The folder `root` holds the files of the authors, `esnli_train_1.csv`, `esnli_train_2.csv`,
    `esnli_dev.csv` and `esnli_test.csv`, or tables of the same pairs, `train.tsv`, `dev.tsv` and `test.tsv`,
    with the columns `unique_key`, `label` (0 neutral, 1 entailment, 2 contradiction), `premise`,
    `hypothesis`, and `explanation1` to `explanation3`.

    Without a training file the protocol is **e-SNLI-10k**: the development pairs are divided into training
    and validation, all pairs of a premise in the same part, and the test pairs are those of the test file.
    With one, training and validation are the files of these names.

    Args:
        root: the folder.
        split: `"train"`, `"validation"`, `"test"`, or `"trainval"`, the first two together.
        features: path of an `.npz` file that `interpnet features --data esnli` wrote, to be used as inputs;
            `None` for the one file in `root/features`, or the sentences where there is none; `False` for the
            sentences.
        validation_fraction: share of the premises of e-SNLI-10k that are kept for validation.
        seed: of the draw of these premises.

    Returns:
        An `ExplanationDataset`. `inputs` is float32 `(examples, width)` for features, for sentences a dict of
        two arrays of texts `(examples,)`, `premise` and `hypothesis`.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if an argument or the contents of a file are wrong.

    Example:

    >>> test = load("data/esnli", "test")  # doctest: +SKIP
    >>> test.inputs["hypothesis"][0], test.class_names[test.labels[0]]  # doctest: +SKIP
    ('The woman is young .', 'neutral')

    References:
        - [Camburu et al., 2018: e-SNLI](https://arxiv.org/abs/1812.01193)
        - [Bowman et al., 2015: SNLI](https://arxiv.org/abs/1508.05326)
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    if not 0 < validation_fraction < 1:
        raise ValueError(f"validation_fraction must lie between 0 and 1, got {validation_fraction}")
    root = Path(root)
    dataset = _select(root, split, validation_fraction, seed)
    path = find_features(features, root, "the sentences")
    if path is None:
        return dataset
    return dataclasses.replace(dataset, inputs=read_features(path, dataset.ids, "the pairs"))


def _select(root: Path, split: str, validation_fraction: float, seed: int) -> ExplanationDataset:
    if split == "test":
        return _dataset(_required(root, "test"))
    train, dev = _find(root, "train"), _required(root, "dev")
    if train:
        return _dataset({"train": train, "validation": dev, "trainval": (*train, *dev)}[split])
    dataset = _dataset(dev)
    if split == "trainval":
        return dataset
    premises = np.array(list(dict.fromkeys(dataset.inputs["premise"])), object)
    held_out = np.random.default_rng(seed).permutation(premises)[: round(validation_fraction * len(premises))]
    chosen = np.isin(dataset.inputs["premise"].astype(str), held_out.astype(str))
    dataset = dataset.subset(chosen if split == "validation" else ~chosen)
    if not len(dataset):
        raise ValueError(
            f"split {split!r} is empty: {dev[0]} has {len(premises)} different premises, and "
            f"validation_fraction is {validation_fraction}"
        )
    return dataset


def _find(root: Path, part: str) -> tuple[Path, ...]:
    """Returns the files of a part, the authors' before others; none where they are not there."""
    for names in _FILES[part]:
        paths = tuple(root / name for name in names)
        there = [path for path in paths if path.is_file()]
        if there and len(there) < len(paths):
            missing = next(path for path in paths if path not in there)
            raise FileNotFoundError(f"{str(missing)!r} is missing beside {there[0].name}; put it there too")
        if there:
            return paths
    return ()


def _required(root: Path, part: str) -> tuple[Path, ...]:
    if not root.is_dir():
        raise FileNotFoundError(f"root {str(root)!r} is not a folder; it must hold the files of e-SNLI")
    paths = _find(root, part)
    if not paths:
        (official,), (table,) = _FILES[part]
        raise FileNotFoundError(
            f"root {str(root)!r} holds neither {official} nor {table}; get the files from "
            "https://github.com/OanaMariaCamburu/e-SNLI, folder dataset"
        )
    return paths


def _dataset(paths: tuple[Path, ...]) -> ExplanationDataset:
    rows = [row for path in paths for row in _read(path)]
    # Features are found by the name of a pair, so that a name that is there twice needs its line.
    first = {row.id: row for row in reversed(rows)}
    ids = [row.id if first[row.id] is row else f"{row.id} ({row.where})" for row in rows]
    return ExplanationDataset(
        inputs={
            "premise": np.array([row.premise for row in rows], object),
            "hypothesis": np.array([row.hypothesis for row in rows], object),
        },
        labels=np.array([row.label for row in rows], "int32"),
        class_names=list(CLASS_NAMES),
        explanations=[row.explanations for row in rows],
        ids=ids,
    )


@dataclasses.dataclass(frozen=True)
class _Row:
    where: str
    id: str
    label: int
    premise: str
    hypothesis: str
    explanations: list[str]


def _read(path: Path) -> Iterator[_Row]:
    """Reads the pairs of a file of either form."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text ({error}); get the file again") from None
    is_table = path.suffix == ".tsv"
    columns, counted = (_NUMBERED, "explanation") if is_table else (_OFFICIAL, "Explanation_")
    form = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if is_table else {"strict": True}
    rows = csv.DictReader(io.StringIO(text, newline=""), **form)
    try:
        header = rows.fieldnames or []
        needed = [columns[name] for name in ("label", "premise", "hypothesis")]
        if missing := [name for name in needed if name not in header]:
            raise ValueError(
                f"{path.name}:1: needs the column {missing[0]}, has {', '.join(header)}; get the file again"
            )
        for fields in rows:
            where = f"{path.name}:{rows.line_num}"
            if None in fields or None in fields.values():
                raise ValueError(f"{where}: another number of cells than the {len(header)} columns")
            yield _check(where, fields, columns, counted, path.stem)
    except csv.Error as error:
        raise ValueError(f"{path.name}:{rows.line_num}: not valid CSV: {error}; get the file again") from None


def _check(where: str, fields: dict[str, str], columns: dict[str, str], counted: str, stem: str) -> _Row:
    """Makes a row of the cells of a line, or says what is wrong with them."""
    for name, value in fields.items():
        check_encodable(value, f"{where}: {name}")
    values = {name: fields.get(column, "").strip() for name, column in columns.items()}
    label = values["label"]
    if label not in (*CLASS_NAMES, *map(str, range(len(CLASS_NAMES)))):
        raise ValueError(
            f"{where}: {columns['label']} must be 0, 1 or 2, or {', '.join(CLASS_NAMES)}, got {label!r}"
        )
    for name in ("premise", "hypothesis"):
        if not has_words(values[name]):
            raise ValueError(f"{where}: {columns[name]} is empty; remove the line")
    said = (fields.get(f"{counted}{number}", "").strip() for number in (1, 2, 3))
    return _Row(
        where,
        values["id"] or f"{stem}:{where.rpartition(':')[2]}",
        int(label) if label.isdecimal() else CLASS_NAMES.index(label),
        values["premise"],
        values["hypothesis"],
        [sentence for sentence in said if has_words(sentence)],
    )
