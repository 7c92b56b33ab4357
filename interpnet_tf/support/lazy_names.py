"""Names of a package that are imported when they are first used: importing TensorFlow takes seconds."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(
    package: str, public: Mapping[str, str] | None = None, modules: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Returns what a package calls `__getattr__` and `__dir__` (PEP 562); the latter lists its `__all__`.

    Args:
        package: its name.
        public: the module that defines each name.
        modules: the module that each name stands for.

    Example:

    >>> getattr_of, _ = lazy_names("birds", {"sqrt": "math"}, {"numbers": "math"})
    >>> getattr_of("sqrt")(9), getattr_of("numbers").__name__
    (3.0, 'math')
    """
    public, modules = public or {}, modules or {}

    def getattr_of(name: str) -> Any:
        if name in public:
            return getattr(importlib.import_module(public[name]), name)
        if name in modules:
            return importlib.import_module(modules[name])
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return getattr_of, lambda: sorted(sys.modules[package].__all__)
