"""A user's own examples, from a CSV or a JSON Lines file."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.feature_files import read_features
from interpnet_tf.data.images import read_images
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

    Other fields are ignored. A record with both `image` and `features` is read from its features. Records
    with the same `id` (by default the `image`) are one example with the sentences of all. The file is
    UTF-8.

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
        seed: of the random division.

    Returns:
        An `ExplanationDataset`. `inputs` is uint8 `(examples, image_size, image_size, 3)` for images,
        float32 `(examples, width)` for features.

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
    records = _merge(_check(where, fields, path.parent) for where, fields in read_fields(path))
    if not records:
        raise ValueError(f"{path} holds no record")
    _check_widths(records)
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
    if features is None or features is False:
        chosen = [records[index] for index in dataset.inputs]
        return dataclasses.replace(dataset, inputs=_inputs(chosen, image_size))
    names = [_image_name(record, path.parent) for record in records]
    inputs = read_features(Path(features), names, path.name)[dataset.inputs]
    return dataclasses.replace(dataset, inputs=inputs)


@dataclasses.dataclass
class _Record:
    """One record of the file, which came from `where`, a `file:line`."""

    where: str
    id: str
    label: str
    sentences: list[str]
    image: Path | None
    features: list[float] | None
    split: str | None
    source: str | None


def _check(where: str, fields: dict[str, Any], folder: Path) -> _Record:
    """Makes a record of the fields, or says what is wrong with them."""

    def text(name: str, kinds: Any = str, expected: str = "text") -> str | None:
        value = fields.get(name)
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise ValueError(f"{where}: {name} must be {expected}, got {value!r}")
        return None if value is None else str(value).strip()

    label = text("label", (str, int), "the name of a class or a whole number")
    label = clean_name(label or "")
    if not label:
        raise ValueError(f"{where}: no label")
    image, split = text("image"), text("split")
    if split not in (None, "train", "validation", "test"):
        raise ValueError(f"{where}: split must be train, validation or test, got {split!r}")

    sentences = []
    for name in ("explanation", "explanations"):
        given = fields.get(name, [])
        given = [given] if isinstance(given, str) else given
        if not isinstance(given, list) or not all(isinstance(sentence, str) for sentence in given):
            raise ValueError(f"{where}: {name} must be a list of sentences, got {given!r}")
        sentences += [sentence.strip() for sentence in given if sentence.strip()]

    features = fields.get("features")
    if features is not None:
        features = _numbers(where, features)
    elif image is None:
        raise ValueError(f"{where}: neither image nor features")
    elif not (folder / image).is_file():
        raise FileNotFoundError(f"{where}: there is no image {str(folder / image)!r}")
    return _Record(
        where=where,
        id=text("id", (str, int), "text") or image or where,
        label=label,
        sentences=sentences,
        image=folder / image if features is None else None,
        features=features,
        split=split,
        source=text("source") or None,
    )


def _numbers(where: str, values: Any) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        numbers = None
    if numbers is None or isinstance(values, str | dict):
        raise ValueError(f"{where}: features must be a list of numbers, got {str(values)[:80]}")
    with np.errstate(over="ignore"):
        finite = np.isfinite(np.asarray(numbers, dtype="float32"))
    if not finite.all():
        position = int(np.argmin(finite))
        raise ValueError(
            f"{where}: features must be finite float32 numbers, number {position} is {values[position]}"
        )
    return numbers


def _merge(records: Iterable[_Record]) -> list[_Record]:
    """Joins the records of one id."""
    merged: dict[str, _Record] = {}
    for record in records:
        first = merged.setdefault(record.id, record)
        if first is record:
            continue
        for name in ("label", "split", "source", "image", "features"):
            if getattr(record, name) != getattr(first, name):
                raise ValueError(
                    f"{record.where}: same id {record.id!r} as {first.where}, but another {name}"
                )
        first.sentences += record.sentences
    return list(merged.values())


def _source(records: list[_Record]) -> str | None:
    """Returns where the sentences come from, `None` if from people."""
    sources = {record.source for record in records if record.sentences}
    return ", ".join(sorted(source or "people" for source in sources)) if sources - {None} else None


def _sorted_labels(records: list[_Record]) -> list[str]:
    labels = {record.label for record in records}
    if all(map(_is_whole_number, labels)):
        return sorted(labels, key=lambda label: (int(label), label))
    return sorted(labels)


def _class_id(record: _Record, class_names: list[str]) -> int:
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
    dataset: ExplanationDataset, records: list[_Record], split: str, seed: int, path: Path
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


def _check_widths(records: list[_Record]) -> None:
    """Raises an error unless all records have images, or all have features of one width."""
    first = records[0]
    for record in records:
        for one, other in ((record, first), (first, record)):
            if one.features is None and other.features is not None:
                raise ValueError(
                    f"{one.where}: no features, but {other.where} has them; give all records the same"
                )
        if first.features is not None and len(record.features) != len(first.features):
            raise ValueError(
                f"{record.where}: {len(record.features)} features, but {first.where} has "
                f"{len(first.features)}; every record needs the same number"
            )


def _image_name(record: _Record, folder: Path) -> str:
    if record.image is None:
        raise ValueError(
            f"{record.where}: the record has features of its own; leave out the file of features"
        )
    return Path(os.path.relpath(record.image, folder)).as_posix()


def _inputs(records: list[_Record], image_size: int) -> np.ndarray:
    if records[0].features is not None:
        return np.array([record.features for record in records], dtype="float32")
    origins = [record.where for record in records]
    return read_images([record.image for record in records], image_size, origins)
