"""Records in JSON files, and dataclasses made of them."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from interpnet_tf.support.errors import reading

Record = TypeVar("Record")


def read_record(path: str | os.PathLike, kind: str, advice: str) -> dict[str, Any]:
    """Reads a JSON file that holds one object.

    Args:
        path: of the file, in UTF-8.
        kind: what it should be, such as `"the config of a run"`.
        advice: what to do if it cannot be read.

    Returns:
        The fields of the object.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableFileError: if it holds something else.

    Example:

    >>> _ = Path("run.json").write_text('{"epochs": 3}')
    >>> read_record("run.json", "the config of a run", "write it anew")
    {'epochs': 3}
    """
    with reading(path, kind, advice):
        fields = json.loads(Path(path).read_text("utf-8"))
        if not isinstance(fields, dict):
            raise ValueError(f"it holds a {type(fields).__name__}, expected an object {{…}}")
    return fields


def read_as(record: type[Record], path: str | os.PathLike, kind: str, advice: str) -> Record:
    """Reads a JSON file into a dataclass, whose fields must be there and of the types that it names.

    Args:
        record: the dataclass.
        path, kind, advice: as of `read_record`.

    Returns:
        An instance of the class.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableFileError: if the file holds something else.
    """
    fields = read_record(path, kind, advice)
    with reading(path, kind, advice):
        hints = typing.get_type_hints(record)
        if unknown := sorted(fields.keys() - hints.keys()):
            raise ValueError(f"this version knows no field {', '.join(unknown)}")
        for field in dataclasses.fields(record):
            if field.name in fields:
                if not _fits(fields[field.name], hints[field.name]):
                    raise ValueError(f"{field.name} must be {field.type}, got {fields[field.name]!r:.80}")
            elif field.default is field.default_factory is dataclasses.MISSING:
                raise ValueError(f"it lacks the field {field.name}")
        return record(**fields)


def json_safe(value: Any) -> Any:
    """Returns a value, a dict of values or dicts, with `None` for not-a-number, which JSON lacks.

    Example:

    >>> json_safe({"bleu_4": 0.5, "facts": {"precision": float("nan")}})
    {'bleu_4': 0.5, 'facts': {'precision': None}}
    """
    if isinstance(value, dict):
        return {key: json_safe(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _fits(value: Any, hint: Any) -> bool:
    """Tells whether a value from JSON is of an annotated type."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, part) for part in parts)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, parts[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, parts[1]) for item in value.values())
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
