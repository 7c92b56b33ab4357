"""Finds the version folders of a model, whatever else lies or happens beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

LARGEST_VERSION = 2**63 - 1  # the API carries a version in 64 bits
Fingerprint = frozenset[tuple[str, int, int]]


@dataclasses.dataclass(frozen=True)
class VersionFolder:
    """A folder that holds a version, as it looked once.

    Attributes:
        path: of the folder.
        fingerprint: names, sizes and times of the files in it.
    """

    path: Path
    fingerprint: Fingerprint


class VersionFolders:
    """Looks into a model's folder again and again, and tells which versions are complete.

    A folder is a version if its name is a number in the digits 0 to 9 and it holds `saved_model.pb`. Of
    several names of one number, such as `7` and `007`, the shortest counts.

    Args:
        folder: holds the version folders.

    Attributes:
        found: every version seen in the last look.
        problems: what could not be read in the last look, a sentence each.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.found: dict[int, VersionFolder] = {}
        self.problems: list[str] = []

    def look(self, settled: Collection[int] = ()) -> dict[int, VersionFolder]:
        """Looks once.

        Args:
            settled: versions whose files need not be looked through again.

        Returns:
            The versions that look as they did the last time: what is still being copied is left out.

        Raises:
            OSError: if the folder itself cannot be listed.
        """
        before, self.found, self.problems = self.found, {}, []
        for path in sorted(self.folder.iterdir(), key=lambda path: (len(path.name), path.name)):
            if not (path.name.isascii() and path.name.isdecimal()):
                continue
            number = int(path.name)
            if number > LARGEST_VERSION:
                self.problems.append(f"{path.name} is larger than the largest version, {LARGEST_VERSION}")
                continue
            try:
                if not (path / "saved_model.pb").is_file():
                    continue
                if number in self.found:
                    self.problems.append(
                        f"{path.name} is left out: {self.found[number].path.name} comes first"
                    )
                    continue
                known = before.get(number) if number in settled else None
                self.found[number] = known or VersionFolder(path, _fingerprint(path))
            except FileNotFoundError:
                continue  # it is being removed
            except Exception as error:  # one bad folder must not hide the others
                self.problems.append(f"{path.name} cannot be read ({error})")
        return {number: version for number, version in self.found.items() if before.get(number) == version}


def _fingerprint(folder: Path) -> Fingerprint:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return frozenset(
        (str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files
    )
