"""METEOR: the files and the process that the Java program gets."""

import importlib
import os
import re
import signal
import subprocess
import sys
import tempfile

import pytest

from interpnet_tf import metrics

# `metrics.meteor` is the function of that name.
module = importlib.import_module("interpnet_tf.metrics.meteor")


@pytest.fixture
def fake_java(tmp_path, monkeypatch):
    """Puts a shell script in the place of Java; returns a function that sets what it does."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "temporary").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "paraphrase-en.gz").touch()
    (tmp_path / "meteor-1.5.jar").touch()
    monkeypatch.setattr(module, "_jar", lambda: tmp_path / "meteor-1.5.jar")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("RECORD", str(tmp_path))

    def set_script(script):
        java = tmp_path / "bin" / "java"
        java.write_text(f'#!/bin/sh\nif [ "$1" = -version ]; then exit 0; fi\n{script}\n')
        java.chmod(0o755)
        return tmp_path

    return set_script


def test_java_gets_the_flags_of_the_paper_and_one_sentence_a_line(fake_java):
    folder = fake_java(
        'echo "$@" > $RECORD/arguments; cp hypotheses references $RECORD\n'
        "printf 'Segment 1 score:\\t0.25\\nSegment 2 score:\\t5.0E-1\\nFinal score:   0.9\\n'"
    )
    hypotheses, references = ["a\nred  bird", ""], [["x", "y\r\nz", "ü"], ["only one"]]
    assert metrics.meteor_sentences(hypotheses, references) == [0.25, 0.5]
    assert metrics.meteor(hypotheses, references) == 0.375

    arguments = (folder / "arguments").read_text().split()
    assert arguments[arguments.index("-jar") + 1 :] == [
        *(str(folder / "meteor-1.5.jar"), "hypotheses", "references", "-l", "en", "-norm", "-r", "3")
    ]
    assert "-Xmx2G" in arguments
    assert (folder / "hypotheses").read_text() == "a red bird\n\n"
    # The second example repeats its only reference, for METEOR wants as many for all.
    assert (folder / "references").read_text("utf-8") == "x\ny z\nü\nonly one\nonly one\nonly one\n"
    assert not list((folder / "temporary").iterdir())


def test_what_java_complains_of_reaches_the_user(fake_java):
    folder = fake_java("echo 'java.lang.OutOfMemoryError: Java heap space' >&2; exit 3")
    with pytest.raises(ChildProcessError, match=r"exit status 3: java\.lang\.OutOfMemoryError"):
        metrics.meteor(["a"], [["a"]])
    assert not list((folder / "temporary").iterdir())


def test_a_missing_score_is_an_error(fake_java):
    fake_java("printf 'Segment 1 score:\\t0.25\\n'")
    with pytest.raises(ChildProcessError, match="METEOR scored 1 of 2 sentences; it wrote: Segment 1"):
        metrics.meteor(["a", "b"], [["a"], ["b"]])


def test_java_is_ended_when_it_takes_too_long(fake_java):
    folder = fake_java("echo $$ > $RECORD/pid; exec sleep 60")
    with pytest.raises(TimeoutError, match=r"stopped after 2 seconds; raise timeout_seconds"):
        metrics.meteor_sentences(["a"], [["a"]], timeout_seconds=2)
    assert_ended(folder)


def test_java_is_ended_when_the_user_interrupts(fake_java, monkeypatch):
    # Within the second the process has been started, and is waited for.
    folder = fake_java("echo $$ > $RECORD/pid; sleep 1; kill -ALRM $PPID; exec sleep 60")
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            metrics.meteor(["a"], [["a"]])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert_ended(folder)


def assert_ended(folder):
    """A process that is still running, or ended but not waited for, would take the signal."""
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)
    assert not list((folder / "temporary").iterdir())


def test_without_java_the_score_is_none_and_the_table_says_so(fake_java, monkeypatch):
    monkeypatch.setenv("PATH", str(fake_java("")))
    assert "install a Java runtime" in metrics.meteor_unavailable()
    with pytest.raises(ChildProcessError, match="METEOR cannot run: there is no working `java`"):
        metrics.meteor(["a"], [["a"]])
    with pytest.warns(UserWarning, match="METEOR is not computed: .* install a Java runtime") as caught:
        scores = metrics.score(["a"], [["a"]], metrics=["meteor", "bleu_1"])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert scores == {"meteor": None, "bleu_1": 1.0}
    assert metrics.format_table({"row": scores}, ["meteor", "bleu_1"]).endswith("n/a   100.0")


def test_a_java_that_does_not_work_is_none(fake_java):
    folder = fake_java("")
    (folder / "bin" / "java").write_text("#!/bin/sh\necho 'Unable to locate a Java Runtime.' >&2; exit 1\n")
    assert "no working `java`" in metrics.meteor_unavailable()


def test_without_the_paraphrases_meteor_is_not_available(fake_java):
    (fake_java("") / "data" / "paraphrase-en.gz").unlink()
    assert "paraphrase-en.gz is missing" in metrics.meteor_unavailable()


def test_without_the_jar_meteor_is_not_available(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pip install 'interpnet-tf[meteor]'" in metrics.meteor_unavailable()


def test_the_jar_is_found_without_running_code_of_pycocoevalcap():
    script = "import sys; from interpnet_tf import metrics; metrics.meteor_unavailable(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "interpnet_tf.metrics.meteor" in loaded.split()
    assert not re.search(r"\bpycocoevalcap\b", loaded)
