"""Text on a terminal: class names, sentences and file names are data, and cannot steer it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any, TextIO

# Control characters but tab (escape sequences begin with one), halves of surrogate pairs, what turns the
# direction of writing around, and what Unicode calls line ends.
_STEERING = re.compile("[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    r"""Replaces what could steer a terminal, or forge a line of its own, by its escape as JSON writes it.

    Inside a JSON text the escapes mean the characters again.

    Example:

    >>> print(harmless("crow\x1b[2J \u202egull"))
    crow\u001b[2J \u202egull
    """
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def show(text: Any, file: TextIO | None = None) -> None:
    """Prints text whose lines are harmless, by default to standard output."""
    lines = str(text).split("\n")
    print("\n".join(map(harmless, lines)), file=file or sys.stdout, flush=file is not None)


def prepare() -> None:
    """Makes the standard streams take every character, and be there even where the caller has closed them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        if hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="backslashreplace")


def finish() -> None:
    """Writes out what standard output still holds.

    Raises:
        OSError: if that fails; what could not be written is dropped, so that Python, which tries again at its
            end, has nothing to complain of.
    """
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise
