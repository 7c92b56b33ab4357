"""`interpnet kit` writes the deployment kit, and takes care of what lies where it writes."""

import json
import re
import subprocess
import tomllib
import urllib.parse
from pathlib import Path

import pytest

import interpnet_tf
from interpnet_tf.cli.main import main
from interpnet_tf.kit import write_kit, writing

ROOT = Path(__file__).parents[2]


def files_of(folder):
    return {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()}


def test_a_wheel_packs_what_the_command_writes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["package-data"]["interpnet_tf.kit"] == list(writing.PACKED)


def test_the_kit_is_what_the_repository_has(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("no repository")
    command = ["git", "-C", ROOT, "ls-files", "export", "notebooks"]
    kept = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    files = write_kit(tmp_path / "kit")
    assert sorted(files) == sorted(name.removeprefix("export/") for name in kept)
    for name in kept:
        assert (tmp_path / "kit" / name.removeprefix("export/")).read_bytes() == (ROOT / name).read_bytes()


def test_a_new_folder_holds_the_kit_and_its_record(tmp_path):
    files = write_kit(tmp_path / "some" / "where")
    assert files_of(tmp_path) == {f"some/where/{name}" for name in [*files, "kit.json"]}
    record = json.loads((tmp_path / "some/where/kit.json").read_text())
    assert record["interpnet_tf"] == interpnet_tf.__version__
    assert set(record["files"]) == set(files)


def test_what_the_pages_of_the_kit_name_is_in_it(tmp_path):
    kit = tmp_path / "kit"
    pages = [kit / name for name in write_kit(kit) if name.endswith(".md")]
    assert len(pages) == 2
    for page in pages:
        text = page.read_text("utf-8")
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            target = urllib.parse.urlsplit(link)
            assert target.scheme == "https" or (page.parent / target.path).is_file(), link
        for path in re.findall(r"`((?:clients|phone|notebooks|web)/[^\s`]*)`", text):
            assert (page.parent / path).exists(), path
        assert "cd export" not in text


def test_only_an_empty_folder_or_a_kit_is_written_to(tmp_path):
    (tmp_path / "mine").mkdir()
    write_kit(tmp_path / "mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="other is not empty and no kit"):
        write_kit(tmp_path / "other")
    assert files_of(tmp_path / "other") == {"thesis.txt"}
    write_kit(tmp_path / "other", overwrite=True)
    assert files_of(tmp_path / "other") == {"thesis.txt"} | files_of(tmp_path / "mine")


def test_a_kit_is_brought_up_to_date(tmp_path, monkeypatch):
    write_kit(tmp_path)
    (tmp_path / "birds" / "1").mkdir(parents=True)
    (tmp_path / "birds" / "1" / "saved_model.pb").write_bytes(b"model")
    newer = {**writing._files(), "README.md": b"newer"}
    monkeypatch.setattr(writing, "_files", lambda: newer)
    write_kit(tmp_path)
    assert (tmp_path / "README.md").read_bytes() == b"newer"
    assert (tmp_path / "birds" / "1" / "saved_model.pb").read_bytes() == b"model"


def test_changes_of_the_users_are_kept(tmp_path):
    write_kit(tmp_path)
    original = (tmp_path / "models.config").read_bytes()
    (tmp_path / "models.config").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"models\.config differ from what was written"):
        write_kit(tmp_path)
    assert (tmp_path / "models.config").read_bytes() == b"mine"
    write_kit(tmp_path, overwrite=True)
    assert (tmp_path / "models.config").read_bytes() == original


def full_disk_at(name, monkeypatch):
    def write(path, content, real=writing.write_atomically):
        if path.name == name:
            raise OSError("no room")
        real(path, content)

    monkeypatch.setattr(writing, "write_atomically", write)


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        full_disk_at("rest.py", patch)
        with pytest.raises(OSError, match="no room"):
            write_kit(tmp_path / "kit")
    assert list(tmp_path.iterdir()) == []
    write_kit(tmp_path / "kit")


def test_a_kit_that_was_not_finished_can_be(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        full_disk_at("rest.py", patch)
        with pytest.raises(OSError, match="no room"):
            write_kit(tmp_path)
    assert {"kit.json", "Dockerfile"} <= files_of(tmp_path)
    assert not (tmp_path / "clients" / "rest.py").exists()
    write_kit(tmp_path)
    assert (tmp_path / "clients" / "rest.py").exists()


def test_the_command_says_what_it_wrote_and_what_is_next(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["kit", "mine/"]) == 0
    *written, servers, phones = capsys.readouterr().out.splitlines()
    assert set(written) == {str(path) for path in Path("mine").rglob("*") if path.is_file()} - {
        "mine/kit.json"
    }
    assert servers == "servers: interpnet export RUN mine/birds/1, then read mine/README.md"
    assert "mine/phone/README.md" in phones
    Path("mine/Dockerfile").write_text("FROM scratch")
    assert main(["kit", "mine"]) == 2
    assert "Dockerfile differ" in capsys.readouterr().err
    assert main(["kit", "mine", "--overwrite"]) == 0
