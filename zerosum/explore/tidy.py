"""Values from a run folder, which may be anyone's, made fit to be sent: finite, short, and of text that can be written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, TypeGuard

MOST_TEXT = 400
"""Characters of one text that are shown."""
MOST_PARTS = 300
"""Entries of one list or object that are shown."""
HUGE = 1e100
"""Beyond, drawing overflows."""
MOST_FILE = 2**26
"""Bytes of a JSON file that are read."""


def number(value: Any) -> TypeGuard[float]:
    """Whether it is a number that can be drawn, which NaN is not."""
    return type(value) in (int, float) and abs(value) < HUGE


def whole(value: Any) -> TypeGuard[int]:
    """Whether it can be a step, a size or a count: JavaScript knows whole numbers up to 2^53."""
    return type(value) is int and 0 <= value < 2**53


def text(value: Any, most: int = MOST_TEXT) -> str:
    """A text without half characters, cut short where it is long; "" where it is none."""
    if not isinstance(value, str):
        return ""
    value = value.encode("utf-8", "replace").decode()
    return value if len(value) <= most else f"{value[: most - 1]}…"


def tidy(value: Any, depth: int = 4) -> Any:
    """The same value, in so far as it can be shown."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict) and depth:
        return {text(name): tidy(part, depth - 1) for name, part in list(value.items())[:MOST_PARTS]}
    if isinstance(value, list | tuple) and depth:
        return [tidy(part, depth - 1) for part in value[:MOST_PARTS]]
    return value if isinstance(value, bool) or number(value) else None


def rounded(value: float) -> float | None:
    """Five digits, which is more than a screen shows; None where it is not finite."""
    return float(f"{value:.5g}") if math.isfinite(value) else None


def parsed(path: Path, most: int = MOST_FILE) -> Any:
    """What a JSON file holds; None where it is missing, no plain file, too large or damaged."""
    try:
        if not path.is_file() or path.stat().st_size > most:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
