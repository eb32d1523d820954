"""Containers: kinds of files that have room for a mark, one a file, found by looking at the files.

A container is a module with `NAME` (for people), `NOTE` (the form of its mark, of `zerosum.provenance.notes`), `accepts(head)`
(whether a file begins as this kind does; 16 bytes), `put(data, mark) -> bytes` (the file with the mark in the place of
whatever was there), and `get(file) -> bytes | None`, which reads no more than it must. Both raise ValueError where a file is
not what its beginning says, or EOFError where it is cut short. A mark is `MOST` bytes long at most.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType


@cache
def all_of_them() -> tuple[ModuleType, ...]:
    """The modules, by name."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in found)


def of(head: bytes) -> ModuleType | None:
    """The container whose files begin so; None where there is none."""
    return next((module for module in all_of_them() if module.accepts(head)), None)
