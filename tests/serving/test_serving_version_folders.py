"""What counts as a version, and what else may lie in the folder of a model."""

import asyncio
import os
from pathlib import Path

import pytest

from interpnet_tf.serving.status import model_status
from interpnet_tf.serving.version_folders import LARGEST_VERSION
from interpnet_tf.serving.versions import ModelVersions


class Loaded:
    """Stands in for a servable."""

    def close(self):
        pass


def put(folder, name):
    (folder / str(name)).mkdir(parents=True)
    (folder / str(name) / "saved_model.pb").write_text("x")


def look_twice(folder, load=lambda path: Loaded(), **options):
    versions = ModelVersions("birds", folder, load, **options)

    async def work():
        await versions.refresh()
        await versions.refresh()

    asyncio.run(work())
    return versions


@pytest.mark.parametrize(
    "name",
    [
        "\u0661",
        "1\u0968",
        "\uff17",
        "\u00b2",
        "0x1",
        "1_000",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "\N{DUCK}",
        "\udc80",
        "1.0",
        "-0",
    ],
)
def test_names_that_are_no_version(tmp_path, name):
    put(tmp_path, name)
    put(tmp_path, 1)
    versions = look_twice(tmp_path)
    assert list(versions.versions) == [1]
    assert versions.trouble == ""


def test_leading_zeros(tmp_path):
    loaded = []
    for name in ("007", "7", "06"):
        put(tmp_path, name)
    versions = look_twice(tmp_path, lambda path: loaded.append(path.name) or Loaded(), keep=2)
    assert versions.available == [6, 7]
    assert loaded == ["7", "06"]
    assert versions.trouble == "007 is left out: 7 comes first"


def test_a_number_that_the_api_cannot_carry(tmp_path):
    put(tmp_path, LARGEST_VERSION + 1)
    put(tmp_path, 1)
    versions = look_twice(tmp_path)
    assert versions.available == [1]
    assert "larger than the largest version" in versions.trouble
    put(tmp_path, LARGEST_VERSION)
    versions = look_twice(tmp_path)
    assert model_status(versions).model_version_status[0].version == LARGEST_VERSION


def test_what_a_folder_may_hold(tmp_path):
    put(tmp_path, 1)
    (tmp_path / "1" / "loop").symlink_to(tmp_path / "1")
    (tmp_path / "1" / "nowhere").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "1" / "pipe")
    (tmp_path / "1" / "\udcff\N{DUCK}").write_text("x")
    (tmp_path / "2").symlink_to(tmp_path / "2")  # a loop
    (tmp_path / "3").symlink_to(tmp_path / "nowhere")
    (tmp_path / "4" / "saved_model.pb").mkdir(parents=True)
    os.mkfifo(tmp_path / "5")
    (tmp_path / "6").mkdir()
    (tmp_path / "6" / "saved_model.pb").symlink_to("saved_model.pb")
    (tmp_path / "7").symlink_to("1")  # as many deploy
    assert look_twice(tmp_path).available == [7]


def test_one_folder_that_cannot_be_read_hides_no_other(tmp_path, monkeypatch):
    put(tmp_path, 1)
    put(tmp_path, 2)
    is_file = Path.is_file

    def refusing(path):
        if path.parent.name == "2":
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refusing)
    versions = look_twice(tmp_path)
    assert versions.available == [1]
    assert versions.trouble.startswith("2 cannot be read")
