"""Extensions of Griffe, which reads the package without running it, for the reference from docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import griffe

_TITLES = re.compile(r"^(Example|References):\n+", flags=re.MULTILINE)
_DOCTESTS = re.compile(r"^>>> .+\n(?:.+\n?)*", flags=re.MULTILINE)


class LazyNames(griffe.Extension):
    """Adds the names that a room imports when they are first used, from its dicts of names and modules."""

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        for room in _packages(pkg):
            for name, module in _dict(room, "_PUBLIC").items():
                room.set_member(name, griffe.Alias(name, f"{module}.{name}"))
        for name, module in _dict(pkg, "_MODULES").items():
            if name not in pkg.members:
                pkg.set_member(name, griffe.Alias(name, module))


def _packages(package: griffe.Module) -> Iterator[griffe.Module]:
    """Yields a package and those within it that have names to add."""
    if "_PUBLIC" in package.members:
        yield package
    for module in list(package.members.values()):
        if isinstance(module, griffe.Module):  # no alias of a package, which may lead back
            yield from _packages(module)


def _dict(room: griffe.Module, name: str) -> dict[str, str]:
    return ast.literal_eval(str(room[name].value))


class KerasStyle(griffe.Extension):
    """Examples and references, which stand without an indent in the docstrings of Keras, become Markdown."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        if obj.docstring:
            text = _TITLES.sub(r"**\1**\n\n", obj.docstring.value)
            obj.docstring.value = _DOCTESTS.sub(lambda match: f"```pycon\n{match[0].rstrip()}\n```\n", text)
