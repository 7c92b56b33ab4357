"""What the documents tell to type can be typed: blocks run from top to bottom, or say why no test runs them.

`<!-- not run: WHY -->` before a block is the mark. Commands of such blocks are still read by the real parser.
"""

import functools
import os
import re
import subprocess
import sys

import numpy as np
import pages
import pytest
from pages import PAGES, ROOT, Block
from PIL import Image

from interpnet_tf import LRCNDecoder
from interpnet_tf.cli import main
from interpnet_tf.cli.main import _parser
from interpnet_tf.data import sketchbirds
from interpnet_tf.speakers import Reasons

BLOCKS = [block for page in PAGES for block in pages.blocks(page)]
SHELL = [block for block in BLOCKS if block.language == "sh"]
# A page that goes on with what another leaves behind.
BUILDS_ON = {
    "docs/attribution.md": "README.md",
    "docs/confidence.md": "README.md",
    "docs/faithfulness.md": "README.md",
    "docs/interventions.md": "README.md",
    "docs/pictures.md": "README.md",
    "docs/quick-start.md": "README.md",
    "docs/phones.md": "docs/command-line.md",
    "docs/serving.md": "docs/command-line.md",
}
# Little data and short trainings are enough to see that every line runs.
SMALLER = {"epochs=12": "epochs=1", "epochs=4": "epochs=1"}
SHORT = ["--epochs", "1", "--classifier-epochs", "1", "--units", "16", "--minimum-count", "1"]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_blocks_are_run_or_say_why_not(block):
    assert block.language in ("python", "sh") or block.not_run, (
        f"{block}: mark it as python or sh, which is then run, or write <!-- not run: WHY --> before it"
    )


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_exist(block):
    for program, *words in pages.commands(block):
        if program == "interpnet" and words != ["--help"]:
            assert _parser().parse_args(words).run_command
        elif program == "make":
            targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
            assert set(words) <= set(targets)
        elif program == "python" and words[0].endswith(".py"):
            (script,) = {ROOT / words[0], (ROOT / block.page).parent / words[0]} & set(ROOT.glob("**/*.py"))
            for option in filter(re.compile("--[a-z]").match, words):
                assert f'"{option}"' in script.read_text("utf-8"), f"{words[0]} has no {option}"


@pytest.mark.parametrize("page", PAGES)
def test_commands_within_a_line_exist(page, capsys):
    """These may be cut short, such as `interpnet train`, but command and options must be there."""
    for command in re.findall(r"`interpnet ([a-z][^`]*)`", pages.prose(page)):
        name, *words = command.split()
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        known = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
        assert {word for word in words if word.startswith("--")} <= known, command


def test_every_command_is_on_its_page(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    commands = re.findall(r"^    (\w+)  ", capsys.readouterr().out, flags=re.MULTILINE)
    assert "train" in commands
    page = pages.read("docs/command-line.md")
    for command in commands:
        assert f"| `interpnet {command}` |" in page


class Reader:
    """Somebody who follows pages from top to bottom in one folder, with little data."""

    def __init__(self, folder):
        self.folder = folder
        self.names = {}

    def follow(self, page: str) -> dict:
        """Runs a page, after the one that it builds on, once; returns the names that its Python leaves."""
        if page not in self.names:
            if page in BUILDS_ON:
                self.follow(BUILDS_ON[page])
            self.names[page] = {"__name__": "__main__"}
            for block in pages.blocks(page):
                if not block.not_run:
                    {"python": self.python, "sh": self.shell}[block.language](block)
            for name, value in list(self.names[page].items()):
                if name.startswith("test_"):
                    value()
        return self.names[page]

    def python(self, block: Block) -> None:
        code = "\n" * (block.line - 1) + block.code
        for whole, part in SMALLER.items():
            code = code.replace(whole, part)
        exec(compile(code, ROOT / block.page, "exec"), self.names[block.page])

    def shell(self, block: Block) -> None:
        for program, *words in pages.commands(block):
            if program == "interpnet":
                assert main([*words, *(SHORT if words[0] == "train" else [])]) == 0
            else:
                assert program == "python"
                subprocess.run([sys.executable, *words], check=True)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A reader in a folder that holds the pictures that the documents speak of."""
    folder = tmp_path_factory.mktemp("reader")
    birds = sketchbirds.load("test", per_species=4)
    (folder / "photos").mkdir()
    rows = ["image,label,explanations,split"]
    for index, split in enumerate(["train", "train", "validation", "test"] * 2):
        Image.fromarray(birds.inputs[index]).save(folder / "photos" / f"{index}.jpg")
        label = birds.class_names[birds.labels[index]]
        rows.append(f"photos/{index}.jpg,{label},a small bird.|it is {label.lower()}.,{split}")
    (folder / "birds.csv").write_text("\n".join(rows))
    for name in ("photo.jpg", "another.png"):
        Image.fromarray(np.full((90, 70, 3), 128, "uint8")).save(folder / name)
    (folder / "export").mkdir()
    (folder / "export" / "phone").symlink_to(ROOT / "export" / "phone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketchbirds, "load", functools.partial(sketchbirds.load, per_species=2))
        patch.setattr(LRCNDecoder.__init__, "__defaults__", (16, 32, 0.2, None))  # narrow
        patch.setattr(Reasons.explain, "__defaults__", (4, 2, None, 64))  # of few draws
        patch.setenv("PATH", str(folder))  # no Java: METEOR has tests of its own
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        patch.chdir(folder)
        yield Reader(folder)


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS if not block.not_run}))
def test_page_runs(page, reader):
    reader.follow(page)


@pytest.mark.slow
def test_what_the_twelve_lines_leave(reader):
    assert len(reader.follow("README.md")["train"]) == 2 * 24
    assert (reader.folder / "birds.keras").exists()
    scores = reader.follow("docs/quick-start.md")["scores"]
    assert set(scores["rows"]) == {"model", "constant sentence", "one human of the others"}


def test_what_the_page_on_classifiers_reads(reader):
    slices = reader.follow("docs/classifiers.md")["introspector"].slices
    assert list(slices) == ["MobileNetV3Small/expanded_conv_10_add", "probabilities"]
