"""The page on architecture lists the rooms that there are, in the order that import-linter checks."""

import re
import tomllib

import pages


def test_rooms_are_those_of_the_contract():
    project = tomllib.loads(pages.read("pyproject.toml"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    rooms = [room.strip() for layer in contract["layers"] for room in layer.split("|")]
    page = pages.read("docs/architecture.md")
    assert re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE) == rooms
