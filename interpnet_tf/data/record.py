"""One record of a file of examples: its fields checked, and those of one example joined."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from interpnet_tf.language.text import clean_name

# The fields of a record whose names are given; any other is a column of a table.
FIELDS = ("image", "features", "label", "explanation", "explanations", "id", "split", "source")


@dataclasses.dataclass
class Record:
    """One record of the file, which came from `where`, a `file:line`.

    What is to be classified is in `image`, in `features` or, of a table, in `columns`.
    """

    where: str
    id: str
    label: str
    sentences: list[str]
    image: Path | None
    features: list[float] | None
    columns: dict[str, Any] | None
    split: str | None
    source: str | None


def check(where: str, fields: dict[str, Any], folder: Path) -> Record:
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

    columns = {name: value for name, value in fields.items() if name and name not in FIELDS}
    features = fields.get("features")
    if features is not None:
        features = _numbers(where, features)
    elif image is not None and not (folder / image).is_file():
        raise FileNotFoundError(f"{where}: there is no image {str(folder / image)!r}")
    return Record(
        where=where,
        id=text("id", (str, int), "text") or image or where,
        label=label,
        sentences=sentences,
        image=folder / image if image is not None and features is None else None,
        features=features,
        columns=columns if image is None and features is None else None,
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


def merge(records: Iterable[Record]) -> list[Record]:
    """Joins the records of one id."""
    merged: dict[str, Record] = {}
    for record in records:
        first = merged.setdefault(record.id, record)
        if first is record:
            continue
        for name in ("label", "split", "source", "image", "features", "columns"):
            if getattr(record, name) != getattr(first, name):
                raise ValueError(
                    f"{record.where}: same id {record.id!r} as {first.where}, but another {name}"
                )
        first.sentences += record.sentences
    return list(merged.values())
