"""`interpnet table1` as a user runs it: tiny, whole, twice, and killed in the midst."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from interpnet_tf.cli import main
from interpnet_tf.experiments.table1 import runner

TINY = [
    *("table1", "--data", "sketchbirds", "--per-species", "2"),
    *("--epochs", "2", "--classifier-epochs", "2", "--units", "16"),
]
ROWS = ("captioning", "interpnet-0", "interpnet-2-beam")
YARDSTICKS = [f"yardstick-{name}" for name in runner.YARDSTICKS]


@pytest.fixture(scope="module", autouse=True)
def _without_java(tmp_path_factory):
    """METEOR takes ten seconds a row; its column is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path_factory.mktemp("no-java")))
        yield


def table1(capsys, *arguments, code=0):
    assert main([str(argument) for argument in (*TINY, *arguments)]) == code
    return capsys.readouterr()


def results(folder):
    """Returns what the files hold, but for what differs between runs of the same configuration."""
    found = {}
    for path in sorted((folder / "results" / "sketchbirds").glob("*.json")):
        found[path.stem] = json.loads(path.read_text())
        del found[path.stem]["seconds"], found[path.stem]["resumed"]
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:METEOR is not computed")
def test_the_whole_command(capsys, tmp_path):
    out = tmp_path / "out"
    chosen = ["--out", out, "--seeds", 1, "--rows", *ROWS]
    whole = table1(capsys, *chosen)
    assert "0 of 3 runs are finished; to go: 3 runs, about" in whole.err.splitlines()[0]
    assert "METEOR is left out: there is no working `java`" in whole.err
    for title in ("Captioning", "InterpNET_0", "InterpNET_2, beam", "constant", "human"):
        assert title in whole.out
    for header in ("BLEU-4", "CIDEr-D", "paper", "read-back", "class rank", "attribute precision", "recall"):
        assert header in whole.out
    assert {path.name for path in out.iterdir()} == {
        *(f"table1-sketchbirds.{suffix}" for suffix in ("csv", "json", "md", "png")),
        "results",
        "sketchbirds",
    }
    files = results(out)
    assert set(files) == {f"{row}-seed0" for row in (*ROWS, *YARDSTICKS)}
    one = files["captioning-seed0"]
    assert 0 <= one["columns"]["accuracy_all"] <= 1
    assert len(one["per_example"]["cider_d"]) == 48
    # Captioning and InterpNET_0 share a classifier; InterpNET_2 is trained, as its beams are asked for.
    classifiers = {path.stem for path in (out / "sketchbirds" / "classifiers").glob("*.keras")}
    assert classifiers == {"hidden-none-seed0", "hidden-500-300-seed0"}
    assert (out / "sketchbirds" / "runs" / "interpnet-2-seed0" / "model.keras").exists()

    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*seed0*")}
    again = table1(capsys, *chosen)
    assert "3 of 3 runs are finished; to go: nothing" in again.err
    assert again.out == whole.out
    finished = table1(capsys, "--out", out, "--rows", "finished")
    assert finished.out == whole.out
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*seed0*")} == stamps

    # A result that is gone is made anew from the sentences that were kept.
    path = out / "results" / "sketchbirds" / "captioning-seed0.json"
    path.unlink()
    table1(capsys, *chosen)
    assert results(out) == files

    for arguments, complaint in {
        ("--units", "8"): "training.units is 16 there and 8 now",
        ("--per-species", "3"): "material.examples.test is 48 there and 72 now",
    }.items():
        error = table1(capsys, *chosen, *arguments, code=2).err
        assert complaint in error
        assert "--results" in error
    # Nor may models of another configuration be taken for those of this one.
    error = table1(capsys, *chosen, "--units", 8, "--results", tmp_path / "other", code=2).err
    assert "training.units is 16 there and 8 now" in error
    assert "--out" in error


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:METEOR is not computed")
def test_a_killed_table_goes_on(capsys, tmp_path):
    rows = ["--epochs", 4, "--rows", "captioning", "interpnet-0", "--seeds", 1, "--out"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    table1(capsys, *rows, whole)
    command = [sys.executable, "-m", "interpnet_tf.cli", *TINY, *map(str, rows), str(killed)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    second = killed / "sketchbirds" / "runs" / "interpnet-0-seed0"
    deadline = time.monotonic() + 300
    while not list(second.glob("checkpoints/explainer/epoch-*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (second / "model.keras").exists()
    first = [path for path in killed.rglob("*captioning-seed0*") if path.is_file()]
    assert killed / "results" / "sketchbirds" / "captioning-seed0.json" in first
    first += list((killed / "sketchbirds" / "runs" / "captioning-seed0").iterdir())
    stamps = [path.stat().st_mtime_ns for path in first]
    assert "1 of 2 runs are finished" in table1(capsys, *rows, killed).err
    assert [path.stat().st_mtime_ns for path in first] == stamps
    assert results(killed) == results(whole)
    assert json.loads((killed / "results" / "sketchbirds" / "interpnet-0-seed0.json").read_text())["resumed"]


def test_wrong_arguments_are_named(capsys, tmp_path):
    out = ["--out", tmp_path / "out"]
    assert (
        "'interpnet-7' is no row of sketchbirds" in table1(capsys, *out, "--rows", "interpnet-7", code=2).err
    )
    assert "--seeds must be at least 1, got 0" in table1(capsys, *out, "--seeds", 0, code=2).err
    assert "--features is for --data cub only" in table1(capsys, *out, "--features", "f.npz", code=2).err
    assert "there is no finished row" in table1(capsys, *out, "--rows", "finished", code=2).err
    assert main(["table1", "--data", "cub", *map(str, out)]) == 2
    assert "--root" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:METEOR is not computed")
def test_systems_that_are_built_and_spoken_otherwise(capsys, tmp_path):
    rows = [
        "gve",
        "gve-explanation-label",
        "interpnet-2-discriminative",
        "interpnet-2-mbr",
        "interpnet-2-consistent",
    ]
    arguments = ["--epochs", 1, "--classifier-epochs", 1, "--seeds", 1, "--rows", *rows]
    shown = table1(capsys, "--out", tmp_path, *arguments)
    files = results(tmp_path)
    assert {f"{row}-seed0" for row in rows} <= set(files)
    assert 0 <= files["gve-seed0"]["columns"]["sentence_accuracy"] <= 1
    assert "sentence_accuracy" not in files["gve-explanation-label-seed0"]["columns"]
    options = files["gve-seed0"]["configuration"]["options"]
    assert options["sentences"]["epochs"] == options["discriminative"]["epochs"] == 1
    start = files["interpnet-2-discriminative-seed0"]["configuration"]["training"]["start"]
    assert (start["build"], start["variant"]) == ("runs.train", "interpnet-2")
    spoken = files["interpnet-2-consistent-seed0"]["configuration"]["decoding"]
    assert spoken == {"decode": "pragmatic", "rationality": 0.0, "listening": 0.2, "beams": 10}
    assert "Does the discriminative loss tell classes apart?" in shown.out
    # The relevance stage of GVE is that of its ablation, and not trained again.
    assert shown.err.count("relevance: epoch") == 1
