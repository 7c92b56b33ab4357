"""Version folders are watched, loaded, swapped and unloaded."""

import asyncio
import itertools
import json
import shutil
import threading
import time

import pytest
import requests
from serving_models import running, write_toy

from interpnet_tf.cli import main
from interpnet_tf.runs import RunConfig
from interpnet_tf.serving.errors import ServingError
from interpnet_tf.serving.versions import ModelVersions
from interpnet_tf.support.atomic import write_atomically


class Recorder:
    """Stands in for a servable; a folder with the file `broken` does not load."""

    def __init__(self, path):
        if (path / "broken").exists():
            raise ValueError("broken")
        self.path, self.closed = path, False

    def close(self):
        self.closed = True


def add(folder, name, *files):
    (folder / name).mkdir()
    for file in ("saved_model.pb", *files):
        (folder / name / file).write_text("x")


def states(versions):
    return {number: version.state for number, version in versions.versions.items()}


def looking(test):
    """Runs a coroutine that takes a folder and versions, which look at it without waiting."""

    def run(tmp_path):
        versions = ModelVersions("toy", tmp_path, Recorder, labels={"old": 1})
        asyncio.run(test(tmp_path, versions))

    return run


async def refresh(versions):
    await versions.refresh()
    await versions.refresh()  # a folder counts once it looks the same twice


@looking
async def test_the_newest_is_served_and_the_old_one_leaves_when_idle(folder, versions):
    add(folder, "1")
    await refresh(versions)
    assert versions.available == [1]
    with versions.hold() as (number, old):
        assert number == 1
        add(folder, "2")
        await refresh(versions)
        assert states(versions) == {1: "UNLOADING", 2: "AVAILABLE"}
        assert not old.closed
        with versions.hold() as (newest, _):
            assert newest == 2
    await refresh(versions)
    assert states(versions) == {1: "END", 2: "AVAILABLE"}
    assert old.closed
    with pytest.raises(ServingError, match=r"Specific\(toy, 1\)"), versions.hold(label="old"):
        pass


@looking
async def test_the_number_counts_not_the_text(folder, versions):
    for name in ("9", "10"):
        add(folder, name)
    await refresh(versions)
    assert versions.available == [10]


@looking
async def test_what_is_not_a_version(folder, versions):
    for name in ("latest", ".2.part", "2.tmp", "-3", "²"):
        add(folder, name)
    (folder / "4").mkdir()  # no saved_model.pb yet
    (folder / "5").write_text("a file")
    await refresh(versions)
    assert states(versions) == {}


@looking
async def test_a_folder_that_still_grows_is_left_alone(folder, versions):
    add(folder, "1")
    await versions.refresh()
    for size in range(3):
        (folder / "1" / "variables").write_text("x" * size)
        await versions.refresh()
        assert states(versions) == {}
    await versions.refresh()
    assert versions.available == [1]


@looking
async def test_a_version_that_does_not_load_is_passed_over_until_it_changes(folder, versions):
    add(folder, "1")
    add(folder, "2", "broken")
    await refresh(versions)
    assert states(versions) == {1: "AVAILABLE", 2: "END"}
    assert "broken" in versions.versions[2].error.message
    failed = versions.versions[2]
    await refresh(versions)
    assert versions.versions[2] is failed  # not tried again
    (folder / "2" / "broken").unlink()
    await refresh(versions)
    assert states(versions) == {1: "END", 2: "AVAILABLE"}


@looking
async def test_rolling_back_and_an_empty_folder(folder, versions):
    add(folder, "1")
    add(folder, "2")
    await refresh(versions)
    shutil.rmtree(folder / "2")
    await refresh(versions)
    assert versions.available == [1]
    shutil.rmtree(folder / "1")
    await refresh(versions)
    assert versions.available == [1]  # better an old version than none


def test_several_versions_are_kept(tmp_path):
    versions = ModelVersions("toy", tmp_path, Recorder, keep=2)
    for name in ("1", "2", "3"):
        add(tmp_path, name)
    asyncio.run(refresh(versions))
    assert versions.available == [2, 3]
    with versions.hold() as newest, versions.hold(2) as other:
        assert (newest[0], other[0]) == (3, 2)


def test_a_swap_drops_no_request(tmp_path):
    write_toy(tmp_path, 1)
    seen, wrong, stop = [], [], threading.Event()

    def ask(url):
        session = requests.Session()
        while not stop.is_set():
            answer = session.post(url, json={"instances": [[1, 2, 3]]}, timeout=30)
            (seen if answer.status_code == 200 else wrong).append(answer.json())

    with running(tmp_path) as endpoints:
        url = f"{endpoints.rest}/v1/models/toy"
        slow = {"signature_name": "slow", "inputs": [[1.0]]}
        in_flight = []
        background = threading.Thread(
            target=lambda: in_flight.append(requests.post(f"{url}:predict", json=slow, timeout=60).json())
        )
        clients = [threading.Thread(target=ask, args=(f"{url}:predict",)) for _ in range(4)]
        for thread in (*clients, background):
            thread.start()
        write_toy(tmp_path, 2)
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            states = requests.get(url, timeout=30).json()["model_version_status"]
            if [(one["version"], one["state"]) for one in states] == [("2", "AVAILABLE"), ("1", "END")]:
                break
            time.sleep(0.05)
        else:
            pytest.fail(f"version 1 was not swapped for 2: {states}")
        at_swap = len(seen)
        while len(seen) < at_swap + 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        stop.set()
        for thread in (*clients, background):
            thread.join()
    assert not wrong
    assert in_flight == [{"outputs": [1]}]  # begun on version 1 and ended there
    answered = [answer["predictions"][0]["version"] for answer in seen]
    assert set(answered) == {1, 2}
    assert set(answered[at_swap + 4 :]) == {2}


@pytest.mark.slow
def test_an_export_beside_a_running_server_is_picked_up(trained, make_model, valid_birds, tmp_path):
    trained.export(tmp_path / "birds" / "1")
    renamed = make_model(class_names=["Crow", "Gull", "Robin"])
    run = tmp_path / "run"
    write_atomically(run / "config.json", json.dumps(vars(RunConfig("cub"))))
    renamed.save(run / "model.keras")
    stop, seen, wrong = threading.Event(), [], []

    def ask(url):
        session = requests.Session()
        while not stop.is_set():
            answer = session.post(url, json={"instances": valid_birds.inputs[:2].tolist()}, timeout=60)
            if answer.status_code == 200:
                seen.append(answer.json()["predictions"])
            else:
                wrong.append(answer.text)

    with running(tmp_path / "birds", model_name="birds") as endpoints:
        url = f"{endpoints.rest}/v1/models/birds"
        client = threading.Thread(target=ask, args=(f"{url}:predict",))
        client.start()
        assert main(["export", str(run), str(tmp_path / "birds" / "2")]) == 0
        deadline = time.monotonic() + 300
        while not (seen and seen[-1][0]["label"] == "Crow") and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()
        client.join()
    assert not wrong
    labels = [[one["label"] for one in predictions] for predictions in seen]
    in_turn = [pair for pair, _ in itertools.groupby(labels)]
    assert in_turn == [["crow", "gull"], ["Crow", "Gull"]]  # version 1, then version 2, and never back
    assert [one["explanation"] for one in seen[0]] == [e.text for e in trained.explain(valid_birds)[:2]]
    assert [one["explanation"] for one in seen[-1]] == [e.text for e in renamed.explain(valid_birds)[:2]]


def test_nothing_to_serve(tmp_path):
    with pytest.raises(ValueError, match="interpnet export"), running(tmp_path):
        pass
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"no SavedModel")
    with pytest.raises(ValueError, match="cannot load"), running(tmp_path):
        pass
