"""`interpnet table1` as a user runs it: tiny, whole, twice, and killed in the midst."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from interpnet_tf.cli import main
from interpnet_tf.experiments.table1 import runner

# With four epochs a training can be killed well before it ends.
TINY = [
    *("table1", "--data", "sketchbirds", "--per-species", "2"),
    *("--epochs", "4", "--classifier-epochs", "2", "--units", "16"),
]
ROWS = ("captioning", "interpnet-0", "interpnet-2-beam")
CHOSEN = ["--seeds", "1", "--rows", *ROWS]
YARDSTICKS = [f"yardstick-{name}" for name in runner.YARDSTICKS]


@pytest.fixture(scope="module", autouse=True)
def _without_java(tmp_path_factory):
    """METEOR takes ten seconds a row; its column is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path_factory.mktemp("no-java")))
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory, _without_java):
    """The folder of a whole table, and what the command printed. Shared: a test works on a copy."""
    folder, out, err = tmp_path_factory.mktemp("whole") / "out", io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main([*TINY, "--out", str(folder), *CHOSEN]) == 0
    return SimpleNamespace(folder=folder, out=out.getvalue(), err=err.getvalue())


@pytest.fixture
def copied(whole, tmp_path):
    return shutil.copytree(whole.folder, tmp_path / "copy")


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
def test_the_whole_command(capsys, whole, copied, tmp_path):
    out, chosen = copied, ["--out", copied, *CHOSEN]
    printed = whole.out.replace(str(whole.folder), str(copied))
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
    assert again.out == printed
    finished = table1(capsys, "--out", out, "--rows", "finished")
    assert finished.out == printed
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
def test_a_killed_table_goes_on(capsys, whole, copied):
    """The first row is finished; the second is killed in its training."""
    rows = ["--seeds", "1", "--rows", "captioning", "interpnet-0", "--out", str(copied)]
    second = copied / "sketchbirds" / "runs" / "interpnet-0-seed0"
    shutil.rmtree(second)
    of_second = [path for path in copied.rglob("*interpnet-0-seed0*") if path.is_file()]
    assert copied / "results" / "sketchbirds" / "interpnet-0-seed0.json" in of_second
    for path in of_second:
        path.unlink()
    first = [path for path in copied.rglob("*captioning-seed0*") if path.is_file()]
    assert copied / "results" / "sketchbirds" / "captioning-seed0.json" in first
    first += list((copied / "sketchbirds" / "runs" / "captioning-seed0").iterdir())
    stamps = [path.stat().st_mtime_ns for path in first]
    command = [sys.executable, "-m", "interpnet_tf.cli", *TINY, *rows]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(second.glob("checkpoints/explainer/epoch-*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (second / "model.keras").exists()
    assert "1 of 2 runs are finished" in table1(capsys, *rows).err
    assert [path.stat().st_mtime_ns for path in first] == stamps
    assert results(copied) == results(whole.folder)
    assert json.loads((copied / "results" / "sketchbirds" / "interpnet-0-seed0.json").read_text())["resumed"]


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
def test_systems_that_are_built_and_spoken_otherwise(capsys, copied):
    """Their classifiers are trained, and so is the model from which three of them go on."""
    rows = [
        "gve",
        "gve-explanation-label",
        "interpnet-2-discriminative",
        "interpnet-2-mbr",
        "interpnet-2-consistent",
    ]
    before = (copied / "sketchbirds" / "runs" / "interpnet-2-seed0" / "model.keras").stat().st_mtime_ns
    shown = table1(capsys, "--out", copied, "--seeds", 1, "--rows", *rows)
    after = (copied / "sketchbirds" / "runs" / "interpnet-2-seed0" / "model.keras").stat().st_mtime_ns
    assert after == before
    files = results(copied)
    assert {f"{row}-seed0" for row in rows} <= set(files)
    assert 0 <= files["gve-seed0"]["columns"]["sentence_accuracy"] <= 1
    assert "sentence_accuracy" not in files["gve-explanation-label-seed0"]["columns"]
    options = files["gve-seed0"]["configuration"]["options"]
    assert (options["sentences"]["epochs"], options["discriminative"]["epochs"]) == (2, 1)
    start = files["interpnet-2-discriminative-seed0"]["configuration"]["training"]["start"]
    assert (start["build"], start["variant"]) == ("runs.train", "interpnet-2")
    spoken = files["interpnet-2-consistent-seed0"]["configuration"]["decoding"]
    assert spoken == {"decode": "pragmatic", "rationality": 0.0, "listening": 0.2, "beams": 10}
    assert "Does the discriminative loss tell classes apart?" in shown.out
    # The relevance stage of GVE is that of its ablation, and not trained again.
    assert shown.err.count("relevance: epoch") == 4
