"""One panel of the explorer a file, found by looking at the files, so that adding one touches no other.

A panel is a module here with `TITLE`, `PLACE` (its order), `offers(offer) -> bool` (whether a run has it) and
`router(library) -> APIRouter`, whose paths begin with /api/run/{name}/ and the panel's name. What the browser shows of it is
`static/panels/` and the panel's name, `.js`.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def names() -> list[str]:
    """The panels there are, in their order."""
    found = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    return sorted(found, key=lambda name: find(name).PLACE)


def find(name: str) -> ModuleType:
    """A panel's module."""
    return importlib.import_module(f"{__name__}.{name}")
