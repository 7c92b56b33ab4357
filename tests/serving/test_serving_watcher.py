"""The watcher of versions lives through whatever happens to the folder, or is raised while one loads."""

import asyncio
import concurrent.futures
import contextlib
import itertools
import logging
import shutil
import time

import pytest
import tensorflow as tf
from serving_models import Loaded, put

from interpnet_tf.serving.errors import invalid
from interpnet_tf.serving.status import model_status
from interpnet_tf.serving.versions import ModelVersions


class UnprintableError(Exception):
    def __str__(self):
        raise ValueError("no text")


RAISED = [
    ValueError("wrong"),
    OSError(5, "Input/output error"),
    PermissionError(13, "Permission denied"),
    FileNotFoundError("gone"),
    StopIteration(),
    StopAsyncIteration(),
    RecursionError(),
    MemoryError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ValueError("\ud800 and \N{DUCK}"),
    UnprintableError(),
    ExceptionGroup("several", [ValueError("one")]),
    tf.errors.DataLossError(None, None, "the file is damaged"),
    invalid("warm-up does not fit"),
    concurrent.futures.CancelledError(),
    concurrent.futures.BrokenExecutor(),
    TimeoutError(),
    asyncio.CancelledError(),
    GeneratorExit(),
    KeyboardInterrupt(),
    SystemExit(3),
]


@contextlib.asynccontextmanager
async def watching(versions):
    """Watches until the block ends; fails if the watcher ends before."""
    watcher = asyncio.create_task(versions.watch(0))
    try:
        yield
        assert not watcher.done()
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        await versions.close()


async def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.001)


async def some_looks(versions, count=4):
    target = versions.looks + count
    await until(lambda: versions.looks >= target)


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_a_load_that_raises(tmp_path, caplog, error):
    def load(path):
        if path.name == "2":
            raise error
        return Loaded()

    async def work():
        put(tmp_path, 1)
        versions = ModelVersions("birds", tmp_path, load)
        async with watching(versions):
            await until(lambda: versions.available == [1])
            put(tmp_path, 2)
            await until(lambda: 2 in versions.versions and versions.versions[2].state == "END")
            await some_looks(versions)
            assert versions.available == [1]
            state = model_status(versions, 2).model_version_status[0]  # its text can be sent
            assert state.status.error_code != 0
            assert state.status.error_message
            put(tmp_path, 3)
            await until(lambda: versions.available == [3])

    with caplog.at_level(logging.ERROR):
        asyncio.run(work())
    assert len([record for record in caplog.records if "version 2" in record.getMessage()]) == 1


@pytest.mark.parametrize(
    ("where", "error"),
    [
        *itertools.product(["look", "close"], RAISED),
        # in the event loop's own thread the others mean what they say
        *(("on_change", error) for error in RAISED if isinstance(error, Exception)),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_whatever_else_raises(tmp_path, caplog, where, error):
    wrong = []  # while it holds something, that is raised

    def maybe_raise(*_):
        for one in wrong:
            raise one

    class Closing:
        close = maybe_raise if where == "close" else lambda self: None

    def on_change(_):
        if where == "on_change":
            maybe_raise()

    async def work():
        put(tmp_path, 1)
        versions = ModelVersions("birds", tmp_path, lambda path: Closing(), on_change=on_change)
        if where == "look":
            look = versions._folders.look
            versions._folders.look = lambda settled: (maybe_raise(), look(settled))[1]
        async with watching(versions):
            await until(lambda: versions.available == [1])
            wrong.append(error)
            put(tmp_path, 2)
            await some_looks(versions, 10)
            if where == "look":
                assert versions.available == [1]
                assert "cannot be looked into" in versions.trouble
                wrong.clear()
            await until(lambda: versions.available == [2])
            await until(lambda: versions.versions[1].state == "END")
            wrong.clear()

    with caplog.at_level(logging.WARNING):
        asyncio.run(work())
    if where == "look":
        messages = [record.getMessage() for record in caplog.records]
        assert len(messages) == 2, "once when it begins, once when it ends"
        assert "all is well again" in messages[1]


def test_a_folder_that_vanishes_while_it_loads(tmp_path):
    def load(path):
        if path.name == "2":
            shutil.rmtree(path)
            raise OSError("variables/variables.index: No such file")
        return Loaded()

    async def work():
        put(tmp_path, 1)
        versions = ModelVersions("birds", tmp_path, load)
        async with watching(versions):
            await until(lambda: versions.available == [1])
            put(tmp_path, 2)
            await until(lambda: 2 in versions.versions and versions.versions[2].state == "END")
            put(tmp_path, 3)
            await until(lambda: versions.available == [3])

    asyncio.run(work())


def test_the_whole_folder_goes_and_returns(tmp_path):
    folder = tmp_path / "birds"

    async def work():
        put(folder, 1)
        versions = ModelVersions("birds", folder, lambda path: Loaded())
        async with watching(versions):
            await until(lambda: versions.available == [1])
            folder.rename(tmp_path / "away")
            await until(lambda: "No such file" in versions.trouble)
            assert versions.available == [1]
            folder.write_text("a file")
            await until(lambda: "Not a directory" in versions.trouble)
            folder.unlink()
            put(folder, 2)
            await until(lambda: versions.available == [2])
            await until(lambda: versions.trouble == "")

    asyncio.run(work())


def test_a_version_is_tried_again_in_growing_pauses(tmp_path):
    put(tmp_path, 1)
    tries = []

    def load(path):
        tries.append(time.monotonic())
        if len(tries) < 4:
            raise OSError("the network disk is away")
        return Loaded()

    async def work():
        versions = ModelVersions("birds", tmp_path, load, retry_seconds=0.01)
        async with watching(versions):
            await until(lambda: versions.available == [1])

    asyncio.run(work())
    pauses = [after - before for before, after in itertools.pairwise(tries)]
    assert len(pauses) == 3
    assert all(pause >= wanted for pause, wanted in zip(pauses, (0.01, 0.02, 0.04), strict=True))


def test_a_version_that_is_wanted_again_while_it_is_used(tmp_path):
    open_ones = []

    async def work():
        put(tmp_path, 1)
        versions = ModelVersions("birds", tmp_path, lambda path: Loaded(path, open_ones))
        async with watching(versions):
            await until(lambda: versions.available == [1])
            with versions.hold() as (_, held):
                put(tmp_path, 2)
                await until(lambda: versions.available == [2])
                shutil.rmtree(tmp_path / "2")
                await until(lambda: versions.available == [1])
                assert versions.versions[1].servable is held
            await until(lambda: len(open_ones) == 1)
        assert open_ones == []

    asyncio.run(work())
