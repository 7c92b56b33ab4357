"""`write_kit`: the deployment kit as files of the user's."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import interpnet_tf
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.json_files import read_record

# What a wheel packs of the two folders, and no more: servers and builds leave files of theirs there. The same
# list stands in pyproject.toml.
PACKED = (
    "export/Dockerfile",
    "export/*.config",
    "export/*.md",
    "export/*.txt",
    "export/*.yaml",
    "export/*.yml",
    "export/clients/*.py",
    "export/phone/*.kt",
    "export/phone/*.md",
    "export/phone/*.py",
    "export/phone/*.swift",
    "export/phone/web/*.html",
    "export/phone/web/*.js",
    "export/phone/web/package.json",
    "notebooks/*.ipynb",
)
RECORD = "kit.json"  # what was written, by which version
_KIND, _ADVICE = "the record of a kit", "write the kit into another folder"


def write_kit(folder: str | os.PathLike, overwrite: bool = False) -> list[str]:
    """Writes the deployment kit: configurations of servers, clients, phones, a page, a notebook.

    A new folder appears whole. In a kit that is there each file is replaced whole; what else lies there, such
    as exported models, stays.

    Args:
        folder: of the kit, which must be new, empty, or a kit none of whose files was changed.
        overwrite: write the files into any folder, over those of their names.

    Returns:
        The paths of the files within the folder.

    Raises:
        ValueError: if the folder holds something else, or files of the kit were changed there.

    Example:

    >>> files = write_kit("birds-kit")
    >>> "clients/rest.py" in files and Path("birds-kit/clients/rest.py").is_file()
    True
    """
    folder, files = Path(folder).resolve(), _files()
    if folder.exists():
        if not overwrite:
            _check(folder, files)
        _fill(folder, files)
    else:
        temporary = folder.with_name(f".{folder.name}.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            _fill(temporary, files)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return list(files)


def _files() -> dict[str, bytes]:
    """Returns what the kit is made of by the path in it, where that of the server is on top."""
    here = Path(__file__).parent
    paths = sorted(path for pattern in PACKED for path in here.glob(pattern))
    if not paths:
        raise ValueError("this installation holds no kit; install interpnet_tf from a wheel or a checkout")
    return {path.relative_to(here).as_posix().removeprefix("export/"): path.read_bytes() for path in paths}


def _check(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raises a `ValueError` if something of the user's would be lost in a folder."""
    if not any(folder.iterdir()):
        return
    if not (folder / RECORD).is_file():
        raise ValueError(f"{folder} is not empty and no kit; choose a new folder, or overwrite")
    written = read_record(folder / RECORD, _KIND, _ADVICE).get("files", {})
    changed = [
        name
        for name, content in files.items()
        if (folder / name).exists()
        and _digest((folder / name).read_bytes()) not in (written.get(name), _digest(content))
    ]
    if changed:
        raise ValueError(
            f"{folder}: {', '.join(changed)} differ from what was written; move them away, or overwrite"
        )


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    if not (folder / RECORD).exists():
        _record(folder, {})  # a kit from now on, even if it is never finished
    for name, content in files.items():
        write_atomically(folder / name, content)
    _record(folder, files)


def _record(folder: Path, files: Mapping[str, bytes]) -> None:
    digests = {name: _digest(content) for name, content in files.items()}
    record = {"interpnet_tf": interpnet_tf.__version__, "files": digests}
    write_atomically(folder / RECORD, json.dumps(record, indent=1) + "\n")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
