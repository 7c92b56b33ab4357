"""Finished rows as small JSON files, from which the table is made and by which it can be checked."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import math
import platform
from pathlib import Path
from typing import Any

from interpnet_tf.runs import RunConfig
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.json_files import read_as, read_record

_PACKAGES = (
    "interpnet-tf",
    "tensorflow",
    "keras",
    "keras-nlp",
    "tensorflow-text",
    "numpy",
    "nltk",
    "pycocoevalcap",
)
# Before the names of the rows that no model said.
YARDSTICK = "yardstick-"


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that results depend on, those that are there."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@dataclasses.dataclass(frozen=True)
class Result:
    """One finished row with one seed.

    Args:
        row: its name.
        seed: of its training.
        configuration: everything that decides the figures, as plain values.
        columns: the figures by column, in natural units; `None` where one does not apply.
        per_example: scores of each judged test example, for tests of significance.
        seconds: what training and judging took in the sitting that finished it.
        resumed: whether an earlier sitting had begun it, so that `seconds` is not all.
        versions: of Python and of the packages that matter.
    """

    row: str
    seed: int
    configuration: dict[str, Any]
    columns: dict[str, float | None]
    per_example: dict[str, list[float | None]]
    seconds: dict[str, float]
    resumed: bool = False
    versions: dict[str, str] = dataclasses.field(default_factory=versions)


class Results:
    """The folder of the finished rows of one data set.

    Args:
        folder: which need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, row: str, seed: int) -> Path:
        """Returns the file of a row."""
        return self.folder / f"{row}-seed{seed}.json"

    def read(self, row: str, seed: int) -> Result | None:
        """Returns a finished row, `None` if it is not finished."""
        path = self.path(row, seed)
        return _result(path) if path.exists() else None

    def all(self) -> list[Result]:
        """Returns every finished row, by name and seed; the yardsticks are not among them."""
        results = [_result(path) for path in sorted(self.folder.glob("*-seed*.json"))]
        return sorted((result for result in results), key=lambda result: (result.row, result.seed))

    def write(self, result: Result) -> None:
        """Writes a finished row, complete or not at all."""
        fields = dataclasses.asdict(result)
        lines = [f" {json.dumps(name)}: {_text(name, value)}" for name, value in fields.items()]
        write_atomically(self.path(result.row, result.seed), "{\n" + ",\n".join(lines) + "\n}\n")

    def check(self, result: Result, configuration: dict[str, Any]) -> None:
        """Raises a `ValueError` that names the differences if a finished row has another configuration."""
        check_same(self.path(result.row, result.seed), result.configuration, configuration, "--results")


def check_same(path: Path, found: dict[str, Any], wanted: dict[str, Any], option: str) -> None:
    """Raises a `ValueError` that names the differences between two configurations, if there are any.

    A field of `RunConfig` that one of them lacks has its default: the other was written after it came to be.

    Args:
        path: of what `found` belongs to.
        found: what it was made with.
        wanted: what is asked for now.
        option: of the command line, that names another folder.
    """
    old, new = _flat(found), _flat(json.loads(json.dumps(wanted)))
    names = sorted(old.keys() | new.keys())
    pairs = {name: [of_one.get(name, _default(name)) for of_one in (old, new)] for name in names}
    differences = [
        f"{name} is {there!r} there and {now!r} now" for name, (there, now) in pairs.items() if there != now
    ]
    if differences:
        raise ValueError(
            f"{path} was made with another configuration: {'; '.join(differences)}. Give the same options, "
            f"name another folder with {option}, or remove it to make it anew"
        )


def claim(path: Path, configuration: dict[str, Any]) -> None:
    """Writes down what a folder or file is made with, or checks that it is the same.

    Raises:
        ValueError: if it was made with another configuration.
    """
    if path.exists():
        found = read_record(path, "what a folder is made with", "remove the folder to make all in it anew")
        check_same(path, found, configuration, "--out")
    else:
        write_atomically(path, json.dumps(configuration, indent=1) + "\n")


def plain(value: Any) -> Any:
    """Returns a number or a collection of numbers as JSON takes it: not-a-number becomes `None`."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _result(path: Path) -> Result:
    return read_as(Result, path, "the result of a row", "remove it to make the row anew")


def _text(name: str, value: Any) -> str:
    if name != "per_example":
        return json.dumps(value, indent=1).replace("\n", "\n ")
    # One line an array: an indented number a line would make the file several times as long.
    lines = [
        f"  {json.dumps(key)}: {json.dumps(of_key, separators=(',', ':'))}" for key, of_key in value.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n }"


def _default(name: str) -> Any:
    *path, field = name.split(".")
    defaults = {of_run.name: of_run.default for of_run in dataclasses.fields(RunConfig)}
    return defaults.get(field, "not set") if "training" in path else "not set"


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {name: value}
    return {
        path: leaf
        for key, item in value.items()
        for path, leaf in _flat(item, f"{name}.{key}" if name else str(key)).items()
    }
