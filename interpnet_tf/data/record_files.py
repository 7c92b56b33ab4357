"""Reads the fields of records from CSV and JSON Lines files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from interpnet_tf.language.text import check_encodable, clean_name


def read_fields(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Reads the records of a CSV or a JSON Lines file, without judging what they say.

    Args:
        path: of a `.csv` file with a header or a `.jsonl` file with an object a line, in UTF-8.

    Yields:
        For every record, `file:line` and its fields by name; empty fields are left out. Of a CSV file,
        `features` is split at spaces and semicolons, `explanation` and `explanations` at `|`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not of its format; the message begins with file and line number.
    """
    readers = {".csv": _read_csv, ".jsonl": _read_jsonl}
    if path.suffix.lower() not in readers:
        raise ValueError(f"path must end in .csv or .jsonl, got {str(path)!r}")
    for line, fields in readers[path.suffix.lower()](path.name, _text_of(path)):
        for name, value in fields.items():
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, str):
                    check_encodable(part, f"{path.name}:{line}: {name}")
        yield (
            f"{path.name}:{line}",
            {name: value for name, value in fields.items() if value not in (None, "", [])},
        )


def read_objects(path: Path) -> list[dict[str, Any]]:
    """Reads the objects of a JSON Lines file, just as they are.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not of its format; the message begins with file and line number.
    """
    return [fields for _, fields in _read_jsonl(path.name, _text_of(path))]


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path.name}:{line}: not UTF-8 text; save the file as UTF-8") from None


def _read_csv(file: str, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    # A cell of features may be longer than the 131,072 characters that the csv module allows at first.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [clean_name(name) for name in next(rows, [])]
        if text.strip() and not ("label" in header and len(header) > 1):
            raise ValueError(
                f"{file}:1: needs the column label, and image, features or columns of a table, has "
                f"{', '.join(header)}"
            )
        if twice := [name for name in header if name and header.count(name) > 1]:
            raise ValueError(f"{file}:1: has the column {twice[0]!r} more than once; rename one")
        for row in rows:
            if row and len(row) != len(header):
                raise ValueError(
                    f"{file}:{rows.line_num}: {len(row)} cells for the {len(header)} columns "
                    f"{', '.join(header)}; put a cell that contains a comma in double quotes"
                )
            fields: dict[str, Any] = dict(zip(header, map(str.strip, row), strict=False))
            for name in ("explanation", "explanations"):
                fields[name] = fields.get(name, "").split("|")
            fields["features"] = fields.get("features", "").replace(";", " ").split()
            if row:
                yield rows.line_num, fields
    except csv.Error as error:
        raise ValueError(f"{file}:{rows.line_num}: not valid CSV: {error}") from error


def _read_jsonl(file: str, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    # Where files were put together, the mark of the second one's beginning stands in the middle.
    for line, content in enumerate(text.replace("\n\ufeff", "\n").split("\n"), start=1):
        if not content.strip():
            continue
        try:
            fields = json.loads(content)
        except json.JSONDecodeError as error:
            raise ValueError(f"{file}:{line}: not valid JSON: {error.msg} at column {error.colno}") from error
        except (ValueError, RecursionError) as error:  # a number of thousands of digits; nested without end
            raise ValueError(f"{file}:{line}: JSON that cannot be read: {error}") from error
        if not isinstance(fields, dict):
            raise ValueError(
                f'{file}:{line}: must be an object {{"label": ...}}, got {content.strip()[:80]!r}'
            )
        yield line, fields
