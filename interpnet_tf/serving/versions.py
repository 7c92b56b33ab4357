"""The numbered version folders of a model: watched, loaded, swapped and unloaded."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from interpnet_tf.serving.errors import ServingError, carried, invalid
from interpnet_tf.serving.version_folders import Fingerprint, VersionFolder, VersionFolders

log = logging.getLogger(__name__)

START, LOADING, AVAILABLE, UNLOADING, END = "START", "LOADING", "AVAILABLE", "UNLOADING", "END"
LONGEST_PAUSE = 3600.0


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
        failures: how often it could not be loaded in a row.
        retry_at: when it is tried again, on the clock of `time.monotonic`.
    """

    number: int
    state: str = START
    error: ServingError | None = None
    servable: Any = None
    users: int = 0
    failed_on: Fingerprint | None = None
    failures: int = 0
    retry_at: float = 0.0


class ModelVersions:
    """Serves the newest version in a folder, and swaps it while requests run.

    What is still being copied is left alone: a folder counts once it looks the same in two looks, one poll
    apart. A new version is loaded before the old one goes, and the old one goes when the last request on it
    has ended. A version that cannot be loaded is passed over until its folder changes, or a minute has
    passed, then two, then four. With no version left in the folder, the loaded one stays.

    Nothing that happens to the folder, or that a library raises while it loads a version, ends the watch.

    Args:
        name: of the model, in the API.
        folder: holds the version folders.
        load: makes a servable of a version folder.
        keep: how many of the newest versions to serve.
        labels: names for version numbers.
        on_change: called after each look, and after a version's state has changed.
        retry_seconds: after which a version that could not be loaded is tried again.

    Attributes:
        versions: by number, each that was ever found.
        trouble: what went wrong in the last look at the folder, or nothing.
        looks: how often the folder was looked at.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        load: Callable[[Path], Any],
        keep: int = 1,
        labels: Mapping[str, int] | None = None,
        on_change: Callable[[ModelVersions], None] = lambda versions: None,
        retry_seconds: float = 60.0,
    ):
        self.name = name
        self.folder = folder
        self.versions: dict[int, Version] = {}
        self.trouble = ""
        self.looks = 0
        self._load = load
        self._keep = keep
        self._labels = dict(labels or {})
        self._on_change = on_change
        self._retry_seconds = retry_seconds
        self._folders = VersionFolders(folder)
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
        """Looks at the folder once: loads what is new, unloads what is no longer wanted.

        What goes wrong is logged, once until it changes, and told by `trouble`; nothing is raised.
        """
        failure = None
        try:
            trouble = await self._refresh()
        except Exception as error:
            failure, trouble = error, _describe(error)
        trouble = carried(trouble)
        if trouble != self.trouble:
            log.warning("%s: %s", self.folder, trouble or "all is well again", exc_info=failure)
        self.trouble = trouble
        self.looks += 1
        self._tell()

    async def watch(self, seconds: float) -> None:
        """Looks at the folder again and again, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await self.refresh()

    async def close(self) -> None:
        """Unloads everything. No request may be running."""
        for version in self.versions.values():
            if version.servable is not None:
                await self._unload(version)
        self._thread.shutdown()

    async def _refresh(self) -> str:
        """Does what `refresh` says; returns what went wrong."""
        ready, error = await self._in_thread(self._folders.look, set(self.available))
        if error is not None:
            return f"cannot be looked into: {_describe(error)}"
        for number, version in self.versions.items():
            if number not in self._folders.found:
                version.failed_on = None  # should it come back, it is tried
        tried: set[int] = set()
        while new := [number for number in self._wanted(ready) if self._is_to_load(number, tried)]:
            tried.add(new[0])
            await self._load_version(new[0], ready[new[0]])
        wanted = self._wanted(ready)
        for number in self.available:
            if wanted and number not in wanted:
                self._set(self.versions[number], UNLOADING)
        for version in list(self.versions.values()):
            if version.state == UNLOADING and version.users == 0:
                await self._unload(version)
        return "; ".join(self._folders.problems)

    def _wanted(self, ready: Mapping[int, VersionFolder]) -> list[int]:
        now = time.monotonic()

        def failed(number: int) -> bool:
            version = self.versions.get(number)
            return (
                version is not None
                and version.failed_on == ready[number].fingerprint
                and now < version.retry_at
            )

        return [number for number in sorted(ready, reverse=True) if not failed(number)][: self._keep]

    def _is_to_load(self, number: int, tried: set[int]) -> bool:
        return number not in tried and (
            number not in self.versions or self.versions[number].state != AVAILABLE
        )

    async def _load_version(self, number: int, folder: VersionFolder) -> None:
        before = self.versions.get(number)
        if (
            before is not None and before.state == UNLOADING
        ):  # a request still uses it, and it is wanted again
            self._set(before, AVAILABLE)
            return
        version = self.versions[number] = Version(number)
        self._set(version, LOADING)
        version.servable, error = await self._in_thread(self._load, folder.path)
        if error is None:
            self._set(version, AVAILABLE)
            return
        version.error = (
            error
            if isinstance(error, ServingError)
            else ServingError(grpc.StatusCode.UNKNOWN, f"cannot load {folder.path}: {_describe(error)}")
        )
        version.failed_on = folder.fingerprint
        version.failures = 1 + (before.failures if before is not None else 0)
        pause = min(self._retry_seconds * 2 ** min(version.failures - 1, 10), LONGEST_PAUSE)
        version.retry_at = time.monotonic() + pause
        if before is None or before.error is None or before.error.message != version.error.message:
            log.error("version %d could not be loaded; others stay as they are: %s", number, version.error)
        self._set(version, END)

    async def _unload(self, version: Version) -> None:
        servable, version.servable = version.servable, None
        _, error = await self._in_thread(servable.close)
        if error is not None:
            log.error("version %d could not be closed: %s", version.number, _describe(error))
        self._set(version, END)

    def _set(self, version: Version, state: str) -> None:
        version.state = state
        log.info("%s version %d: %s", self.name, version.number, state)
        self._tell()

    def _tell(self) -> None:
        try:
            self._on_change(self)
        except Exception as error:
            log.error("a change of versions could not be told", exc_info=error)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> tuple[Any, Any]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, _attempt, function, arguments)


def _attempt(function: Callable[..., Any], arguments: Sequence[Any]) -> tuple[Any, BaseException | None]:
    """Returns what a function returns, and what it raises.

    A future does not carry every exception: StopIteration leaves it waiting for ever, SystemExit ends the
    event loop, and CancelledError looks as if the waiting task had been cancelled.
    """
    try:
        return function(*arguments), None
    except BaseException as error:
        return None, error


def _describe(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # an exception whose text cannot be made
        text = ""
    return text or type(error).__name__
