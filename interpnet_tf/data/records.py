"""A user's own examples, from a CSV or a JSON Lines file."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from interpnet_tf.data.columns import KINDS, by_input, kind_of, to_array
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.feature_files import read_features
from interpnet_tf.data.images import read_images
from interpnet_tf.data.record import Record, check, merge
from interpnet_tf.data.record_files import read_fields
from interpnet_tf.language.text import clean_name

SPLITS = ("train", "validation", "test", "trainval")


def load(
    path: str | os.PathLike,
    split: str | None = None,
    class_names: Sequence[str] | None = None,
    features: str | os.PathLike | Literal[False] | None = None,
    *,
    image_size: int = 128,
    columns: Mapping[str, str] | None = None,
    seed: int = 0,
) -> ExplanationDataset:
    """Loads examples from a `.csv` or a `.jsonl` file.

    A record, that is a row of a CSV file with a header or a line of a JSON Lines file, has these fields:

    | field | CSV | JSON Lines |
    |---|---|---|
    | `image` | path, relative to the file's folder | the same |
    | or `features` | numbers separated by spaces or semicolons | list of numbers |
    | `label` | name of the class, the same in every Unicode form | the same, or a whole number |
    | `explanation` or `explanations` | sentences separated by `\\|` | a sentence; a list of sentences |
    | `id`, optional | name of the example | the same |
    | `split`, optional | `train`, `validation` or `test` | the same |
    | `source`, optional | where the sentences come from, if not from people: `verbalized` | the same |

    A record with neither `image` nor `features` is a row of a table: every other field is a column, and
    the inputs are the columns by name (see `columns.input_name`); one without a name, such as pandas
    writes of its index, is left out. Where there are images or features, other fields are ignored. A
    record with both is read from its features. Records with the same `id` (by default the `image`) are one
    example with the sentences of all. The file is UTF-8.

    Args:
        path: of the file.
        split: `"train"`, `"validation"`, `"test"`, `"trainval"` (the first two together), or `None` for
            every example. Where the file has no field `split`, each class is divided at random:
            80 % train, 10 % validation, 10 % test.
        class_names: one name a class, in the order of the class ids, such as those of the training data;
            by default the labels of the whole file, sorted (as numbers if all are whole numbers). Where
            none of `class_names` is a number, a whole-number label is a class id.
        features: path of an `.npz` file such as `interpnet features` writes, of which the features of the
            images are taken as inputs, found by the paths in `image`; `None` or `False` reads the images.
        image_size: height and width of the images, in pixels: the short side is resized to it and the
            centre cropped.
        columns: of a table, by name, what a column holds where that is not what it looks like: `"number"`,
            `"category"`, `"boolean"`, or `"ignored"` for one that is not read. By default a column of numbers
            holds numbers, one of true and false booleans, and any other categories, which are texts; looked
            at is the whole file, so that each split has the same.
        seed: of the random division.

    Returns:
        An `ExplanationDataset`. `inputs` is uint8 `(examples, image_size, image_size, 3)` for images,
        float32 `(examples, width)` for features; of a table a dict of arrays `(examples,)`, see
        `columns.to_array`: float32 numbers, NaN where a cell is missing; texts, `""` where it is missing;
        booleans. Of lists of numbers in JSON Lines `(examples, longest)`, filled up with 0.

    Raises:
        FileNotFoundError: if the file or an image is missing.
        ValueError: if an argument or a record is wrong; the message begins with file and line number.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "birds.csv").write_text(
    ...         "features,label,explanations\\n"
    ...         "0.1 0.9,gull,a white bird.|it has a yellow bill.\\n"
    ...         "0.8 0.2,crow,a black bird.\\n")
    ...     birds = load(Path(folder, "birds.csv"))
    >>> birds.class_names, birds.labels.tolist(), birds.explanations[0]
    (['crow', 'gull'], [1, 0], ['a white bird.', 'it has a yellow bill.'])
    """
    if split not in (None, *SPLITS):
        raise ValueError(f"split must be None or one of {', '.join(SPLITS)}, got {split!r}")
    path = Path(path)
    records = merge(check(where, fields, path.parent) for where, fields in read_fields(path))
    if not records:
        raise ValueError(f"{path} holds no record")
    _check_alike(records)
    table = _table(records, columns)
    names = _sorted_labels(records)
    if class_names is not None:
        names = [clean_name(str(name)) for name in class_names]
    dataset = ExplanationDataset(
        inputs=np.arange(len(records)),
        labels=[_class_id(record, names) for record in records],
        class_names=names,
        explanations=[record.sentences for record in records],
        ids=[record.id for record in records],
        source=_source(records),
    )
    if split is not None:
        dataset = _select(dataset, records, split, seed, path)
    if table is not None:
        return dataclasses.replace(dataset, inputs={n: part[dataset.inputs] for n, part in table.items()})
    if features is None or features is False:
        chosen = [records[index] for index in dataset.inputs]
        return dataclasses.replace(dataset, inputs=_inputs(chosen, image_size))
    names = [_image_name(record, path.parent) for record in records]
    inputs = read_features(Path(features), names, path.name)[dataset.inputs]
    return dataclasses.replace(dataset, inputs=inputs)


def _source(records: list[Record]) -> str | None:
    """Returns where the sentences come from, `None` if from people."""
    sources = {record.source for record in records if record.sentences}
    return ", ".join(sorted(source or "people" for source in sources)) if sources - {None} else None


def _sorted_labels(records: list[Record]) -> list[str]:
    labels = {record.label for record in records}
    if all(map(_is_whole_number, labels)):
        return sorted(labels, key=lambda label: (int(label), label))
    return sorted(labels)


def _class_id(record: Record, class_names: list[str]) -> int:
    label = record.label
    if label in class_names:
        return class_names.index(label)
    numbers_are_ids = not any(map(_is_whole_number, class_names))
    if numbers_are_ids and _is_whole_number(label) and int(label) < len(class_names):
        return int(label)
    close = difflib.get_close_matches(label, class_names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"the classes are {', '.join(class_names[:20])}"
    raise ValueError(f"{record.where}: unknown label {label!r}; {hint}")


def _is_whole_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _select(
    dataset: ExplanationDataset, records: list[Record], split: str, seed: int, path: Path
) -> ExplanationDataset:
    """Returns the part of the data set that is in `split`."""
    if any(record.split for record in records):
        for record in records:
            if record.split is None:
                raise ValueError(f"{record.where}: no split, though other records have one")
        given = np.array([record.split for record in records])
        parts = {name: dataset.subset(given == name) for name in ("train", "validation", "test")}
        parts["trainval"] = dataset.subset(given != "test")
    else:
        parts = dataset.three_parts(seed)
        parts["trainval"] = dataset.split(0.1, seed)[0]
    if not len(parts[split]):
        sizes = ", ".join(f"{name} {len(part)}" for name, part in parts.items())
        raise ValueError(
            f"{path}: split {split!r} is empty (examples: {sizes}); say in a field 'split' of every record "
            "whether it is train, validation or test"
        )
    return parts[split]


def _check_alike(records: list[Record]) -> None:
    """Raises an error unless all records have images, or all features of one width, or all columns."""
    first = records[0]
    for record in records:
        for name, them in (("features", "them"), ("image", "one")):
            for one, other in ((record, first), (first, record)):
                if getattr(one, name) is None and getattr(other, name) is not None:
                    raise ValueError(
                        f"{one.where}: no {name}, but {other.where} has {them}; give all records the same"
                    )
        if first.features is not None and len(record.features) != len(first.features):
            raise ValueError(
                f"{record.where}: {len(record.features)} features, but {first.where} has "
                f"{len(first.features)}; every record needs the same number"
            )


def _table(records: list[Record], kinds: Mapping[str, str] | None) -> dict[str, np.ndarray] | None:
    """Returns the columns of all records as arrays, by the names of their inputs; `None` without columns."""
    cells: dict[str, list[Any]] = {}
    for row, record in enumerate(records):
        for name, cell in (record.columns or {}).items():
            cells.setdefault(name, [None] * len(records))[row] = cell
    kinds = kinds or {}
    for name, kind in kinds.items():
        if name not in cells:
            raise ValueError(f"columns names {name!r}, but the file has {', '.join(cells) or 'no columns'}")
        if kind not in (*KINDS, "ignored"):
            raise ValueError(f"columns must be of {', '.join(KINDS)} or ignored, got {kind!r} for {name!r}")
    if records[0].columns is None:
        return None
    read = {name: column for name, column in cells.items() if kinds.get(name) != "ignored"}
    if not read:
        raise ValueError(f"{records[0].where}: neither image nor features, nor any column to classify by")
    return {
        name: to_array(column, kinds.get(origin) or kind_of(column), origin, lambda row: records[row].where)
        for (name, column), origin in zip(by_input(read).items(), read, strict=True)
    }


def _image_name(record: Record, folder: Path) -> str:
    if record.image is None:
        raise ValueError(
            f"{record.where}: the record has features of its own; leave out the file of features"
        )
    return Path(os.path.relpath(record.image, folder)).as_posix()


def _inputs(records: list[Record], image_size: int) -> np.ndarray:
    if records[0].features is not None:
        return np.array([record.features for record in records], dtype="float32")
    origins = [record.where for record in records]
    return read_images([record.image for record in records], image_size, origins)
