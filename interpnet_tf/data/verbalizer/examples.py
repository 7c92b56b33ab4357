"""Examples with sentences made for them, as records that `data.records.load` reads."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from interpnet_tf.data import cub, cub_attributes
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.record_files import read_fields
from interpnet_tf.data.tables import Table, read_csv
from interpnet_tf.data.verbalizer.verbalizer import Verbalizer
from interpnet_tf.language.text import clean_name
from interpnet_tf.support.atomic import write_atomically

SOURCE = "verbalized"
# Fields of a record that say nothing of the example itself.
_FIELDS = ("id", "image", "label", "split", "features", "explanation", "explanations", "source")

Records = list[dict[str, Any]]


def of_table(
    path: str | os.PathLike, verbalizer: Verbalizer, label: str = "label", n: int = 10, seed: int = 0
) -> Records:
    """Makes a record of each row of a CSV file, and `adapt`s the verbalizer to its training part.

    Args:
        path: of the file. Columns that are named like the fields of a record are not spoken of: `id`, `image`
            and `split` are taken over. Without `split` each class is divided at random, 80 % `train`, 10 %
            `validation` and 10 % `test`.
        verbalizer: not adapted yet.
        label: name of the column of the class.
        n: number of sentences a row.
        seed: of the division and of the sentences.

    Returns:
        Records with the cells by name, which are the inputs of a classifier where there is no `image`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it lacks the label, or nothing can be said of it.
    """
    path = Path(path)
    table = read_csv(path)
    if label not in table:
        raise ValueError(f"{path.name} has no column {label!r}, only {', '.join(table)}; name it with label")
    labels = _labels(path, table[label])
    facts = {name: column for name, column in table.items() if name not in (label, *_FIELDS)}
    if not facts:
        raise ValueError(f"{path.name} has no column to speak of beside {', '.join(table)}")
    splits = _splits(table, labels, seed)
    training = splits == "train"
    verbalizer.adapt(
        {name: column[training] for name, column in facts.items()},
        [one for one, is_training in zip(labels, training, strict=True) if is_training],
    )
    sentences = verbalizer(facts, labels, n, seed)
    return [
        {
            "id": str(table["id"][row]) if "id" in table else f"{path.name}:{row + 2}",
            **({"image": path.parent / str(table["image"][row])} if "image" in table else {}),
            **{name: _cell(column[row]) for name, column in facts.items()},
            "label": labels[row],
            "split": str(splits[row]),
            **_said(sentences[row]),
        }
        for row in range(len(labels))
    ]


def of_classes(
    path: str | os.PathLike,
    examples: str | os.PathLike,
    verbalizer: Verbalizer,
    label: str = "label",
    n: int = 10,
    seed: int = 0,
) -> Records:
    """Gives examples sentences about what is true of their classes, and `adapt`s the verbalizer to these.

    Args:
        path: of a CSV file with a row for each class.
        examples: of a file of records, see `data.records.load`; the sentences that they have are replaced.
        verbalizer: not adapted yet.
        label: name of the column of the class.
        n: number of sentences an example.
        seed: of the sentences.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a file is wrong, or has no row for the class of an example.
    """
    path = Path(path)
    table = read_csv(path)
    if label not in table:
        raise ValueError(f"{path.name} has no column {label!r}, only {', '.join(table)}; name it with label")
    labels = _labels(path, table.pop(label))
    if twice := [name for name in labels if labels.count(name) > 1]:
        raise ValueError(f"{path.name} must have one row a class, but has several for {twice[0]!r}")
    row_of = {name: row for row, name in enumerate(labels)}
    verbalizer.adapt(table, labels)
    records = []
    for where, fields in read_fields(Path(examples)):
        fields["label"] = clean_name(str(fields.get("label", "")))
        if fields["label"] not in row_of:
            raise ValueError(f"{where}: {path.name} has no row for the class {fields['label']!r}")
        if "image" in fields:
            fields["image"] = Path(examples).parent / fields["image"]
        if "features" in fields:
            fields["features"] = _numbers(where, fields["features"])
        records.append(fields)
    rows = [row_of[fields["label"]] for fields in records]
    of_rows = {name: column[rows] for name, column in table.items()}
    sentences = verbalizer(of_rows, [fields["label"] for fields in records], n, seed)
    return [
        {name: value for name, value in fields.items() if name not in ("explanation", "explanations")}
        | _said(of_one)
        for fields, of_one in zip(records, sentences, strict=True)
    ]


def of_cub(root: str | os.PathLike, verbalizer: Verbalizer, n: int = 10, seed: int = 0) -> Records:
    """Gives the photographs of CUB-200-2011 sentences about what most annotators saw of their species.

    Args:
        root: the folder that holds `CUB_200_2011`.
        verbalizer: not adapted yet, such as `Verbalizer("cub")`.
        n: number of sentences a photograph.
        seed: of the sentences, and of the tenth of each species' training photographs for validation.

    Returns:
        Records in the order of `images.txt`, as features of the photographs are.

    Raises:
        FileNotFoundError: if a file or folder is missing.
        ValueError: if the contents of a file are wrong.
    """
    folder, attributes = cub.find_folder(Path(root)), cub_attributes.load(root)
    names, labels, in_test, class_names = cub.read_lists(folder)
    table = dict(zip(attributes.names, attributes.percent.T, strict=True))
    verbalizer.adapt(table, class_names)
    training = ExplanationDataset(
        inputs=np.flatnonzero(~in_test),
        labels=labels[~in_test],
        class_names=class_names,
        explanations=[[] for _ in range(int((~in_test).sum()))],
        ids=[name for name, is_test in zip(names, in_test, strict=True) if not is_test],
    )
    splits = np.where(in_test, "test", "train").astype("<U10")
    splits[training.split(0.1, seed)[1].inputs] = "validation"
    of_images = dict(zip(attributes.names, attributes.percent[labels].T, strict=True))
    said = verbalizer(of_images, [class_names[label] for label in labels], n, seed)
    return [
        {
            "id": name,
            "image": folder / "images" / name,
            "label": class_names[label],
            "split": str(split),
            **_said(sentences),
        }
        for name, label, split, sentences in zip(names, labels, splits, said, strict=True)
    ]


def write(path: str | os.PathLike, records: Records, verbalizer: Verbalizer) -> Path:
    """Writes records as JSON Lines, and beside them the verbalizer, which can judge what is said of them.

    Args:
        path: of the `.jsonl` file.
        records: images are named relative to its folder.
        verbalizer: that made the sentences.

    Returns:
        The path of the verbalizer, which ends in `.verbalizer.json`.

    Raises:
        ValueError: if the path has another ending.
    """
    path = Path(path)
    check_path(path)
    lines = []
    for record in records:
        image = record.get("image")
        named = {} if image is None else {"image": Path(os.path.relpath(image, path.parent)).as_posix()}
        lines.append(json.dumps({**record, **named}, ensure_ascii=False))
    write_atomically(path, "".join(f"{line}\n" for line in lines))
    beside = path.with_suffix(".verbalizer.json")
    verbalizer.save(beside)
    return beside


def check_path(path: Path) -> None:
    """Raises a `ValueError` unless a path ends as `write` needs it."""
    if path.suffix != ".jsonl":
        raise ValueError(f"path must end in .jsonl, got {str(path)!r}")


def _numbers(where: str, values: Any) -> list[float]:
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError):
        raise ValueError(f"{where}: features must be a list of numbers, got {values!r:.80}") from None


def _labels(path: Path, column: np.ndarray) -> list[str]:
    labels = []
    for row, cell in enumerate(column.tolist()):
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            raise ValueError(f"{path.name}: row {row + 1} has no label")
        whole = isinstance(cell, float) and cell.is_integer()
        labels.append(clean_name(str(int(cell) if whole else cell)))
    return labels


def _splits(table: Table, labels: Sequence[str], seed: int) -> np.ndarray:
    """Returns the split of each row: that which the table gives, or one that is drawn."""
    if "split" in table:
        return table["split"].astype(str)
    names = sorted(set(labels))
    dataset = ExplanationDataset(
        inputs=np.arange(len(labels)),
        labels=[names.index(label) for label in labels],
        class_names=names,
        explanations=[[] for _ in labels],
        ids=list(map(str, range(len(labels)))),
    )
    splits = np.empty(len(labels), "<U10")
    for name, part in dataset.three_parts(seed).items():
        splits[part.inputs] = name
    return splits


def _said(sentences: list[str]) -> dict[str, Any]:
    return {"explanations": sentences, "source": SOURCE}


def _cell(cell: Any) -> Any:
    """Returns a cell as JSON has it: nothing where it is missing."""
    if isinstance(cell, float) and not np.isfinite(cell):
        return None
    return float(cell) if isinstance(cell, float) else cell
