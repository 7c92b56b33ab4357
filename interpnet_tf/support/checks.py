"""Checks of arguments."""

from __future__ import annotations

import math
import numbers
from typing import Any


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Raises a `ValueError` that names the argument if `value` is no whole number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    if most is not None and value > most:
        raise ValueError(f"{name} must be at most {most}, got {value}")


def check_number(name: str, value: Any, least: float = -math.inf) -> None:
    """Raises a `ValueError` that names the argument if `value` is no finite number from `least` on."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
