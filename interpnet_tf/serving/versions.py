"""The numbered version folders of a model: watched, loaded, swapped and unloaded."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from interpnet_tf.serving.errors import ServingError, from_exception, invalid

log = logging.getLogger(__name__)

START, LOADING, AVAILABLE, UNLOADING, END = "START", "LOADING", "AVAILABLE", "UNLOADING", "END"
Fingerprint = frozenset[tuple[str, int, int]]


@dataclasses.dataclass
class Version:
    """A version of the model, from the day it is found.

    Attributes:
        number: the name of its folder.
        state: as the status API of TensorFlow Serving calls it.
        error: why it could not be loaded.
        servable: the loaded model.
        users: requests that are using it.
        failed_on: what the folder held when it could not be loaded.
    """

    number: int
    state: str = START
    error: ServingError | None = None
    servable: Any = None
    users: int = 0
    failed_on: Fingerprint | None = None


class ModelVersions:
    """Serves the newest version in a folder, and swaps it while requests run.

    A folder is a version if its name is a number, it holds `saved_model.pb`, and it looks the same in two
    looks, one poll apart: what is still being copied is left alone. A new version is loaded before the old
    one goes, and the old one goes when the last request on it has ended. A version that cannot be loaded is
    passed over, until its folder changes. With no version left in the folder, the loaded one stays.

    Args:
        name: of the model, in the API.
        folder: holds the version folders.
        load: makes a servable of a version folder.
        keep: how many of the newest versions to serve.
        labels: names for version numbers.
        on_change: called after a version's state has changed.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        load: Callable[[Path], Any],
        keep: int = 1,
        labels: Mapping[str, int] | None = None,
        on_change: Callable[[ModelVersions], None] = lambda versions: None,
    ):
        self.name = name
        self.folder = folder
        self.versions: dict[int, Version] = {}
        self._load = load
        self._keep = keep
        self._labels = dict(labels or {})
        self._on_change = on_change
        self._looks: dict[int, Fingerprint] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="loading")

    @property
    def available(self) -> list[int]:
        """The numbers of the versions that answer requests, ascending."""
        return sorted(number for number, version in self.versions.items() if version.state == AVAILABLE)

    @contextlib.contextmanager
    def hold(self, version: int | None = None, label: str | None = None) -> Iterator[tuple[int, Any]]:
        """Keeps a version loaded while a request uses it.

        Args:
            version: its number; by default the newest.
            label: a name of it instead.

        Yields:
            The number and the servable.

        Raises:
            ServingError: if no such version is loaded.
        """
        if label is not None:
            if label not in self._labels:
                raise invalid(
                    f"Unrecognized servable version label: {label}; known: {sorted(self._labels)}, "
                    "and `interpnet serve --label NAME=VERSION` makes one"
                )
            version = self._labels[label]
        numbers = self.available
        number = version if version is not None else max(numbers, default=None)
        if number not in numbers:
            wanted = f"Latest({self.name})" if version is None else f"Specific({self.name}, {version})"
            raise ServingError(
                grpc.StatusCode.NOT_FOUND,
                f"Servable not found for request: {wanted}; loaded versions: {numbers}",
            )
        held = self.versions[number]
        held.users += 1
        try:
            yield number, held.servable
        finally:
            held.users -= 1

    def check_name(self, name: str) -> None:
        """Refuses another model's name."""
        if name != self.name:
            raise ServingError(
                grpc.StatusCode.NOT_FOUND,
                f'Servable not found for request: Latest({name}); the model here is "{self.name}"',
            )

    async def refresh(self) -> None:
        """Looks at the folder once: loads what is new, unloads what is no longer wanted."""
        ready = await self._in_thread(self._look)
        while unloaded := [number for number in self._wanted(ready) if self._state(number) != AVAILABLE]:
            await self._load_version(unloaded[0], ready[unloaded[0]])
        wanted = self._wanted(ready)
        for number in self.available:
            if wanted and number not in wanted:
                self._set(self.versions[number], UNLOADING)
        for version in list(self.versions.values()):
            if version.state == UNLOADING and version.users == 0:
                await self._unload(version)

    async def watch(self, seconds: float) -> None:
        """Looks at the folder again and again, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.refresh()
            except OSError as error:  # such as a network disk that is away for a while
                log.warning("cannot look into %s: %s", self.folder, error)

    async def close(self) -> None:
        """Unloads everything. No request may be running."""
        for version in self.versions.values():
            if version.servable is not None:
                await self._unload(version)
        self._thread.shutdown()

    def _look(self) -> dict[int, Fingerprint]:
        """Returns the version folders that are complete, with what they hold."""
        looks = {}
        for path in self.folder.iterdir():
            if path.name.isascii() and path.name.isdecimal() and (path / "saved_model.pb").is_file():
                number = int(path.name)
                looks[number] = self._looks.get(number) if self._state(number) == AVAILABLE else None
                looks[number] = looks[number] or _fingerprint(path)
        ready = {number: look for number, look in looks.items() if self._looks.get(number) == look}
        self._looks = looks
        return ready

    def _state(self, number: int) -> str | None:
        return self.versions[number].state if number in self.versions else None

    def _wanted(self, ready: Mapping[int, Fingerprint]) -> list[int]:
        def failed(number: int) -> bool:
            return number in self.versions and self.versions[number].failed_on == ready[number]

        return [number for number in sorted(ready, reverse=True) if not failed(number)][: self._keep]

    async def _load_version(self, number: int, look: Fingerprint) -> None:
        version = self.versions[number] = Version(number)
        self._set(version, LOADING)
        try:
            version.servable = await self._in_thread(self._load, self._path(number))
        except Exception as error:
            version.error = (
                from_exception(error)
                if isinstance(error, ServingError)
                else ServingError(grpc.StatusCode.UNKNOWN, f"cannot load {self._path(number)}: {error}")
            )
            version.failed_on = look
            log.error("version %d could not be loaded; others stay as they are: %s", number, version.error)
        self._set(version, AVAILABLE if version.servable is not None else END)

    async def _unload(self, version: Version) -> None:
        servable, version.servable = version.servable, None
        await self._in_thread(servable.close)
        self._set(version, END)

    def _path(self, number: int) -> Path:
        """Finds the folder of a number, whose name may have leading zeros."""
        return next(
            path for path in self.folder.iterdir() if path.name.isdecimal() and int(path.name) == number
        )

    def _set(self, version: Version, state: str) -> None:
        version.state = state
        log.info("%s version %d: %s", self.name, version.number, state)
        self._on_change(self)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


def _fingerprint(folder: Path) -> Fingerprint:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return frozenset(
        (str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files
    )
