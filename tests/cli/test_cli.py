"""The command line, as a user runs it; in a process of its own where that matters."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_bert
from PIL import Image

from interpnet_tf.cli import arguments, main
from interpnet_tf.cli import train as train_command
from interpnet_tf.data import loading
from interpnet_tf.runs.trained import Trained
from interpnet_tf.speakers import Reasons

TINY = ["--data", "sketchbirds", "--per-species", "2", "--units", "16", "--batch-size", "32"]
THREE_EPOCHS = [*TINY, "--epochs", "3", "--classifier-epochs", "3", "--seed", "5", "--out"]


def interpnet(*arguments):
    command = [sys.executable, "-m", "interpnet_tf.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    assert main(["train", *THREE_EPOCHS, str(folder)]) == 0
    return folder


def test_help_imports_no_tensorflow():
    code = (
        "import sys; from interpnet_tf.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "train" in result.stdout


def test_choices_are_those_of_the_library():
    """The command line names them itself, so as to start without TensorFlow."""
    from interpnet_tf import classifiers, decoders
    from interpnet_tf.data import sketchbirds
    from interpnet_tf.generation import decoding
    from interpnet_tf.training import schedules

    assert train_command.SCHEDULES == schedules.SCHEDULES
    assert set(train_command.VARIANTS) == set(classifiers.HIDDEN_LAYERS)
    assert set(arguments.SAMPLERS) == set(decoding.SAMPLERS)
    assert set(train_command.DECODERS) == set(decoders.NAMES)
    assert arguments.MARKS == sketchbirds.MARKS
    for name in train_command.DECODERS:
        assert decoders.get(name, vocabulary_size=5).vocabulary_size == 5


def test_options_of_training_reach_the_config(capsys, monkeypatch, tmp_path):
    from interpnet_tf import runs

    configs = []
    trained = SimpleNamespace(tokenizer=SimpleNamespace(vocabulary_size=9), decoder=SimpleNamespace(units=64))
    monkeypatch.setattr(runs, "train", lambda config, *_: configs.append(config) or trained)
    train = ["train", *TINY, "--out", str(tmp_path / "out")]
    assert main(train) == 0
    assert "trained, with a decoder of 64 units for 9 words" in capsys.readouterr().out
    options = ["--schedule", "cosine", "--warmup-epochs", "1.5", "--label-smoothing", "0.1"]
    assert main([*train, *options]) == 0
    got = [(config.schedule, config.warmup_epochs, config.label_smoothing) for config in configs]
    assert got == [("paper", 0.0, 0.0), ("cosine", 1.5, 0.1)]
    assert main([*train, "--shortcut", "0.5"]) == 0
    assert [config.options for config in configs[1:]] == [
        {"per_species": 2},
        {"per_species": 2, "shortcut": 0.5},
    ]


def test_run_folder_is_text_but_for_the_model(run):
    assert sorted(path.name for path in run.iterdir()) == [
        "config.json",
        "history.csv",
        "model.keras",
        "tokenizer.json",
    ]
    assert json.loads((run / "config.json").read_text())["variant"] == "interpnet-2"
    assert "red" in json.loads((run / "tokenizer.json").read_text())["vocabulary"]
    lines = (run / "history.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        [stage, epoch] for stage in ("classifier", "explainer") for epoch in "123"
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_meteor")
def test_evaluate_prints_yardsticks_beside_the_model(capsys, run):
    assert main(["evaluate", str(run), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert set(scores["rows"]) == {"interpnet-2", "constant sentence", "one human of the others"}
    assert set(scores["rows"]["interpnet-2"]) == {"5", "10"}
    assert scores["rows"]["interpnet-2"]["10"]["meteor"] == 0.5
    assert scores["facts"]["one human of the others"]["attribute_precision"] == 1
    assert json.loads((run / "metrics-test.json").read_text()) == scores


@pytest.fixture
def few_draws(monkeypatch):
    """What `Reasons` chooses among, and how, is tested elsewhere."""
    monkeypatch.setattr(Reasons.explain, "__defaults__", (4, 2, None, 64))


@pytest.fixture
def of_half_the_pictures(run, tmp_path):
    """The run as if it were one of half as many pictures, every one of which is repainted for seconds."""
    folder = shutil.copytree(run, tmp_path / "half")
    config = json.loads((folder / "config.json").read_text())
    config["options"]["per_species"] = 1
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("quick_meteor", "few_draws")
def test_an_audit_is_kept_for_the_report(capsys, of_half_the_pictures, monkeypatch):
    run = of_half_the_pictures
    monkeypatch.setattr(
        "interpnet_tf.runs.auditing.METRICS", ("gain_own",)
    )  # the reader of others takes long
    assert main(["audit", str(run)]) == 0
    first = capsys.readouterr()
    assert "training a decoder" in first.err
    kept = json.loads((run / "audit-test.json").read_text())
    assert first.out.startswith(kept["verdict"][:40])
    monkeypatch.setattr("interpnet_tf.runs.auditing.audit", lambda *_, **__: {"verdict": "as before"})
    assert main(["audit", str(run), "--json"]) == 0
    second = capsys.readouterr()
    assert "training a decoder" not in second.err
    assert json.loads(second.out)["verdict"] == "as before"
    (run / "audit-test.json").write_text("{}")
    assert "is no whole audit; delete it" in failing(capsys, "report", run)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_meteor", "few_draws")
def test_reasons_are_measured_once(capsys, of_half_the_pictures):
    run = of_half_the_pictures
    assert main(["reasons", str(run), "--json"]) == 0
    first = capsys.readouterr()
    assert "24/24 pictures" in first.err
    result = json.loads(first.out)
    assert (result["pictures"], list(result["rows"])) == (24, ["greedy", "beam", "reasons", "one human"])
    assert result["rows"]["one human"]["attribute_precision"] == 1
    assert len(list(run.glob("effects-*.npz"))) == 1
    assert main(["reasons", str(run)]) == 0
    second = capsys.readouterr()
    assert second.err == ""
    assert second.out.splitlines()[2].startswith("greedy")


@pytest.mark.slow
@pytest.mark.usefixtures("quick_meteor")
def test_pictures_with_a_mark_are_evaluated(capsys, run):
    assert main(["evaluate", str(run), "--json", "--mark", "other"]) == 0
    assert json.loads(capsys.readouterr().out)["mark"] == "other"
    (run / "metrics-test.json").unlink()
    trained = Trained(run)
    plain, marked = trained.load("test"), trained.load("test", mark="other")
    assert (plain.inputs != marked.inputs).any(axis=(1, 2, 3)).all()


@pytest.mark.slow
def test_explain_is_quiet(run, tmp_path):
    Image.fromarray(np.full((90, 70, 3), 128, "uint8")).save(tmp_path / "grey.png")
    result = interpnet("explain", run, tmp_path / "grey.png", "--json")
    assert result.returncode == 0
    assert result.stderr == ""
    explanation = json.loads(result.stdout)
    assert explanation["file"] == str(tmp_path / "grey.png")
    assert len(explanation["words"]) == len(explanation["log_probabilities"])
    assert 0 < explanation["probability"] <= 1


def test_explain_in_several_ways(capsys, run, tmp_path):
    Image.fromarray(np.full((64, 64, 3), 128, "uint8")).save(tmp_path / "grey.png")
    explain = ["explain", str(run), str(tmp_path / "grey.png"), "--json"]
    assert main([*explain, "--sampler", "beam", "--beams", "4", "--n-best", "3", "--forbid", "bird"]) == 0
    explanation = json.loads(capsys.readouterr().out)
    assert len(explanation["alternatives"]) == 2
    assert "bird" not in explanation["words"]
    assert main([*explain[:-1], "--sampler", "beam", "--n-best", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert "n_best must be at most 1" in failing(capsys, *explain, "--n-best", "2")


def test_a_confidence_is_learnt_once(capsys, run, tmp_path):
    Image.fromarray(np.full((64, 64, 3), 128, "uint8")).save(tmp_path / "grey.png")
    image = str(tmp_path / "grey.png")
    explain = ["explain", str(run), image, "--json", "--min-length", "3", "--confidence"]
    assert main([*explain, "1"]) == 0
    (kept,) = run.glob("confidence-*.json")
    withheld = json.loads(capsys.readouterr().out)
    assert (withheld["text"], withheld["words"]) == ("", [])
    record = json.loads(kept.read_text())
    record["regression"]["bias"] = 100
    kept.write_text(json.dumps(record))
    assert main([*explain, "0.9"]) == 0
    said = json.loads(capsys.readouterr().out)
    kept.unlink()
    assert said["confidence"] > 0.9 > withheld["confidence"]
    assert said["text"]
    assert "n_best must be 1" in failing(capsys, *explain, "0.9", "--n-best", "2")


def failing(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    return captured.err


def test_errors_say_what_to_do_and_leave_nothing(capsys, run, tmp_path):
    out = tmp_path / "out"
    assert "did you mean 'cub'" in failing(capsys, "train", "--data", "cup", "--out", out)
    assert "--data is missing" in failing(capsys, "train", "--out", out)
    trained_on = ("train", "--explainer", run, "--reason-epochs", "1", "--out", out)
    assert "and per_species, units cannot be changed" in failing(
        capsys, *trained_on, "--units", "8", "--per-species", "1"
    )
    assert "--root" in failing(capsys, "train", "--data", "cub", "--out", out)
    assert "nowhere" in failing(
        capsys, "train", "--data", "cub", "--root", tmp_path / "nowhere", "--out", out
    )
    (tmp_path / "empty.csv").write_text("features,label,explanation\n")
    assert "empty.csv" in failing(capsys, "train", "--data", tmp_path / "empty.csv", "--out", out)
    assert "--resume" in failing(capsys, "train", *TINY, "--out", run)
    assert "units" in failing(capsys, "train", *TINY, "--units", 32, "--resume", "--out", run)
    assert "dropout must be at least 0" in failing(capsys, "train", *TINY, "--dropout", 1, "--out", out)
    assert "warmup_epochs needs" in failing(capsys, "train", *TINY, "--warmup-epochs", 1, "--out", out)
    assert "not a run folder" in failing(capsys, "evaluate", tmp_path)
    assert "name it with --data" in failing(capsys, "reasons", run / "model.keras")
    other = failing(capsys, "reasons", run / "model.keras", "--data", "birds.csv")
    assert "'birds.csv', and what carried a decision is known of sketchbirds only" in other
    assert "shortcut must be a share" in failing(capsys, "train", *TINY, "--shortcut", 2, "--out", out)
    assert "no such file" in failing(capsys, "explain", run, tmp_path / "bird.png")
    (tmp_path / "bird.png").write_bytes(b"not a picture")
    assert "bird.png" in failing(capsys, "explain", run, tmp_path / "bird.png")
    assert not out.exists()


def test_features_that_are_not_finite_are_refused(capsys, tmp_path):
    rows = ["features,label,explanation,split"]
    rows += [
        f"{index} 1,{'ab'[index % 2]},a bird.,{split}"
        for index, split in enumerate(["train", "validation"] * 4)
    ]
    rows[3] = "nan 1,a,a bird.,train"
    (tmp_path / "records.csv").write_text("\n".join(rows))
    assert "records.csv:4" in failing(
        capsys, "train", "--data", tmp_path / "records.csv", "--out", tmp_path / "out"
    )
    assert not (tmp_path / "out").exists()


def test_features_of_pairs_of_sentences(capsys, tmp_path):
    pytest.importorskip("safetensors")
    header = "unique_key\tlabel\tpremise\thypothesis\texplanation1\texplanation2\texplanation3\n"
    for name in ("dev", "test"):
        (tmp_path / f"{name}.tsv").write_text(f"{header}{name}-0\t0\ta dog .\ta cafe .\tNo .\tNo .\tNo .\n")
    tiny_bert.write(tmp_path)
    features = ["features", "--data", "esnli", "--root", tmp_path, "--out", tmp_path / "pairs.npz"]
    assert main([*map(str, features), "--backbone", str(tmp_path)]) == 0
    assert "16 features of 2 pairs of sentences" in capsys.readouterr().out  # four vectors of four numbers
    test = loading.load("esnli", "test", tmp_path, features=tmp_path / "pairs.npz")
    first, second, distance, product = test.inputs.reshape(4, 4)
    np.testing.assert_allclose(distance, abs(first - second), atol=2e-3)
    np.testing.assert_allclose(product, first * second, atol=2e-3)

    wrong = failing(capsys, *features, "--backbone", "efficientnet-lite2")
    assert "must be minilm or the path of a BERT's folder or archive, got 'efficientnet-lite2'" in wrong
    assert "--image-size is for --images" in failing(
        capsys, *features, "--backbone", "minilm", "--image-size", 64
    )
    assert "needs --root" in failing(
        capsys, "features", "--data", "esnli", "--out", "x.npz", "--backbone", "minilm"
    )


def _weights(run):
    import interpnet_tf as itf

    return itf.load(run / "model.keras").get_weights()


def kill_in(stage, folder, *arguments):
    """Starts a training, and kills it when its stage has finished an epoch."""
    process = subprocess.Popen(
        [sys.executable, "-m", "interpnet_tf.cli", "train", *arguments, str(folder)],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not list(folder.glob(f"checkpoints/{stage}/epoch-*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "model.keras").exists()


@pytest.mark.slow
def test_a_run_killed_in_each_stage_resumes_to_the_same_weights(capsys, run, tmp_path):
    killed = tmp_path / "killed"
    kill_in("classifier", killed, *THREE_EPOCHS)
    assert not (killed / "checkpoints" / "explainer").exists()
    assert "not finished" in failing(capsys, "evaluate", killed)
    kill_in("explainer", killed, "--resume", "--out")
    assert "not finished" in failing(capsys, "evaluate", killed)
    assert main(["train", "--resume", "--out", str(killed)]) == 0
    for whole, resumed in zip(_weights(run), _weights(killed), strict=True):
        np.testing.assert_allclose(resumed, whole, atol=1e-6)
