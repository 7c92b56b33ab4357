"""The Swift client's syntax, and what can be held against the other clients without Apple's tools."""

import re
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_swift

from interpnet_tf.support import picture_file

PHONE = Path(__file__).parents[2] / "export" / "phone"
FILES = sorted(PHONE.glob("*.swift"))


def errors(source: bytes) -> list[str]:
    """Returns the pieces of a Swift file that are no Swift."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))
    found, nodes = [], [parser.parse(source).root_node]
    while nodes:
        node = nodes.pop()
        if node.type == "ERROR" or node.is_missing:
            found.append(f"line {node.start_point[0] + 1}: {node.text[:60]!r}")
        nodes += node.children
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_syntax(path):
    source = path.read_bytes()
    assert errors(source) == []
    assert errors(source.replace(b"func ", b"func func ", 1))
    assert errors(source.rstrip()[:-1])  # the last bracket


def test_every_client_spells_with_the_same_patterns():
    clients = {path.suffix: path.read_text("utf-8") for path in PHONE.glob("*nterpnet_?ite.*")}
    clients |= {path.suffix: path.read_text("utf-8") for path in PHONE.glob("InterpnetLite.*")}
    for suffix in (".py", ".kt", ".swift"):
        patterns = [line.replace("\\\\", "\\") for line in clients[suffix].splitlines()]
        for pattern in (r" ([,.;:!?%)\]}…])", r"([(\[{#]) | (/) "):
            assert any(pattern in line for line in patterns), (suffix, pattern)


def test_the_same_limit_of_pixels():
    limits = {}
    for path in (PHONE / "InterpnetPicture.kt", PHONE / "InterpnetPicture.swift"):
        (limits[path.name],) = re.findall(r"(?i)most_?pixels = ([\d_]+)", path.read_text("utf-8"))
    assert {int(limit) for limit in limits.values()} == {picture_file.MAXIMUM_PIXELS}, limits
