"""How a contract is checked: each promise by its name, which a failure tells."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def promise(text: str) -> Iterator[None]:
    """Raises an `AssertionError` that names the promise for whatever goes wrong within."""
    try:
        yield
    except Exception as error:
        what = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        raise AssertionError(f"broken promise: {text}; but {what}") from error


def require(condition: Any, what: str) -> None:
    """Raises an `AssertionError` that says `what` is so, unless the condition holds."""
    if not condition:
        raise AssertionError(what)
