"""The pages of the documents: their code blocks, links and headings."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FILES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/README.md")
_FILES += ("export/README.md", "export/phone/README.md")
PAGES = [*_FILES, *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))]

_NOT_RUN = re.compile(r"\s*<!-- not run: (.+) -->\s*")
_FENCE = re.compile(r"( *)```(\w*)\s*")
# Every program that a block may call, and what stands in for it: it notes the words that it was called with.
_PROGRAMS = ("base64", "curl", "docker", "interpnet", "kubectl", "make", "npm", "pip", "python")
_NOTE = """#!/bin/sh
printf '%s\\0' "$#" "${0##*/}" "$@" >> "$NOTES"
"""


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced code block.

    Attributes:
        page: path of the page.
        line: number of the first line of code, from 1.
        language: what stands behind the fence, possibly nothing.
        code: the lines between the fences.
        not_run: why no test runs it, from the comment `<!-- not run: WHY -->` before it; `None` if one does.
    """

    page: str
    line: int
    language: str
    code: str
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def read(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(page: str) -> list[Block]:
    """Returns the code blocks of a page in their order."""
    found, opened, before = [], None, ""
    for number, line in enumerate(read(page).splitlines(), 1):
        fence = _FENCE.fullmatch(line)
        if fence and opened is None:
            mark = _NOT_RUN.fullmatch(before)
            opened, code = (number + 1, fence[2], mark and mark[1]), []
        elif fence:
            first, language, why = opened
            found.append(Block(page, first, language, textwrap.dedent("\n".join(code)) + "\n", why))
            opened = None
        elif opened is not None:
            code.append(line)
        before = line
    return found


def prose(page: str) -> str:
    """Returns a page without its code blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", read(page), flags=re.DOTALL | re.MULTILINE)


def links(page: str) -> list[str]:
    """Returns where the links and pictures of a page lead."""
    text = re.sub(r"`[^`]*`", "code", prose(page))
    return re.findall(r"\]\(([^)\s]*)\)", text)


def anchors(page: str) -> set[str]:
    """Returns the anchors of a page's headings, as GitHub and MkDocs make them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def commands(block: Block) -> list[list[str]]:
    """Returns the words of each command of a shell block, as bash reads them."""
    with tempfile.TemporaryDirectory() as folder:
        for program in _PROGRAMS:
            stand_in = Path(folder, program)
            stand_in.write_text(_NOTE)
            stand_in.chmod(0o755)
        notes = Path(folder, "notes")
        notes.touch()
        bash = ["/bin/bash", "-euc", f"cd() {{ :; }}; source() {{ :; }}\n{block.code}"]
        environment = {"PATH": folder, "NOTES": str(notes)}
        result = subprocess.run(bash, env=environment, cwd=folder, stderr=subprocess.PIPE, check=False)
        known = ", ".join(_PROGRAMS)
        assert result.returncode == 0, f"{block}: {result.stderr.decode()}; of programs it may call {known}"
        words = notes.read_text("utf-8").split("\0")[:-1]
    found = []
    while words:
        count = int(words[0])
        found.append(words[1 : count + 2])
        words = words[count + 2 :]
    return found
