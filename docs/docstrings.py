"""Extensions of Griffe, which reads the package without running it, for the reference from docstrings."""

from __future__ import annotations

import ast
import re

import griffe

_TITLES = re.compile(r"^(Example|References):\n+", flags=re.MULTILINE)
_DOCTESTS = re.compile(r"^>>> .+\n(?:.+\n?)*", flags=re.MULTILINE)


class LazyNames(griffe.Extension):
    """Adds the names that `interpnet_tf.__getattr__` imports when they are first used."""

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        for name, module in ast.literal_eval(str(pkg["_PUBLIC"].value)).items():
            pkg.set_member(name, griffe.Alias(name, f"{module}.{name}"))


class KerasStyle(griffe.Extension):
    """Examples and references, which stand without an indent in the docstrings of Keras, become Markdown."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        if obj.docstring:
            text = _TITLES.sub(r"**\1**\n\n", obj.docstring.value)
            obj.docstring.value = _DOCTESTS.sub(lambda match: f"```pycon\n{match[0].rstrip()}\n```\n", text)
