"""What is printed cannot steer a terminal; a standard output that is full or closed is told."""

import json
import logging
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpnet_tf.cli import main
from interpnet_tf.support import terminal

HOSTILE = "\x1b]0;title\x07crow\x1b[2J\r\x08\x9b1m\u202egull\u2066\u2028\udce9\x7f"
SHOWN = "\\u001b]0;title\\u0007crow\\u001b[2J\\u000d\\u0008\\u009b1m\\u202egull\\u2066\\u2028\\udce9\\u007f"


def test_what_steers_is_escaped():
    assert terminal.harmless(HOSTILE) == SHOWN
    assert terminal.harmless("a line\nand another") == "a line\\u000aand another"


@pytest.mark.parametrize("text", ["größe, naïve", "اردو‌فارسی", "日本語", "👩‍🚀 é", "a\tb", "\\x1b", ""])
def test_text_of_any_language_stays_as_it_is(text):
    assert terminal.harmless(text) == text


@given(st.text(st.characters()))
def test_json_means_the_same(text):
    shown = terminal.harmless(json.dumps({"label": text}, ensure_ascii=False))
    assert json.loads(shown) == {"label": text}
    assert shown.isprintable() or all(character.isprintable() for character in shown if ord(character) < 160)


def test_lines_are_kept_by_show(capsys):
    terminal.show(f"one\n{HOSTILE}\n")
    assert capsys.readouterr().out == f"one\n{SHOWN}\n\n"


def test_errors_are_harmless(capsys, tmp_path):
    name = "\x1b[2J\u202e.keras"
    assert main(["explain", str(tmp_path / name), "x.npy"]) == 2
    error = capsys.readouterr().err
    assert "\x1b" not in error
    assert "\u202e" not in error
    with pytest.raises(SystemExit):
        main(["explain", "run", "x.npy", "--\x1b[2J"])
    assert "--\\u001b[2J" in capsys.readouterr().err


def test_class_names_sentences_and_files_are_harmless(capsys, make_model, tmp_path, monkeypatch):
    import numpy as np

    monkeypatch.chdir(tmp_path)
    make_model(class_names=["cr\x1b[2Jow", "gu\nll", "ro\u202ebin"]).save("birds.keras")
    np.save("a\x1b[1m.npy", np.eye(3, 5))
    for options in ([], ["--json"]):
        assert main(["explain", "birds.keras", "a\x1b[1m.npy", *options]) == 0
        out = capsys.readouterr().out
        assert len(out.splitlines()) == 3
        assert not {"\x1b", "\u202e"} & set(out)
        assert "a\\u001b[1m.npy" in out


def test_lines_of_the_servers_log_are_harmless():
    from interpnet_tf.cli.serve import HarmlessFormatter

    try:
        raise ValueError(f"cannot load {HOSTILE}")
    except ValueError:
        failure = sys.exc_info()
    record = logging.LogRecord("", logging.ERROR, "", 0, "%s:\n%s", ("2\x1b[2J", HOSTILE), failure)
    first, *others = HarmlessFormatter("%(message)s").format(record).split("\n")
    assert first == f"2\\u001b[2J:\\u000a{SHOWN}"
    assert others[0] == "Traceback (most recent call last):"
    assert others[-1] == f"ValueError: cannot load {SHOWN}"


CODE = """
import sys
import importlib
cli = importlib.import_module("interpnet_tf.cli.main")
from interpnet_tf.support import memory, quiet
quiet.import_tensorflow = lambda: None  # takes seconds
class Options:
    command = "talk"
    def run_command(options):
        for line in range(20000): cli.terminal.show(f"line {line}")
class Parser:
    def parse_args(self, arguments): return Options
Options.run_command = staticmethod(Options.run_command)
cli._parser = Parser
sys.exit(cli.main([]))
"""


def talk(redirection):
    """Runs a command that prints much, in a shell."""
    command = f'"{sys.executable}" -c "$CODE" {redirection}'
    done = subprocess.run(
        ["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"],
        env={**os.environ, "CODE": CODE},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[-1], done.stderr


def test_a_reader_that_has_had_enough_is_no_error():
    assert talk("| head -n 1 > /dev/null") == ("141", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_under_standard_output_is_an_error():
    code, error = talk("> /dev/full")
    assert code == "2"
    assert error == "interpnet talk: error: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("redirection", [">&-", "> /dev/null 2>&-"])
def test_a_closed_stream_is_no_error(redirection):
    assert talk(redirection) == ("0", "")
