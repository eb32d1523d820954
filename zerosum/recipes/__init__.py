"""One GAN a file; the file's name is the recipe's.

A recipe is a module with `Config`, a frozen dataclass of numbers and words, and `build(cfg, spec) -> Game`. The first
line of its docstring is what `zerosum list` shows. Files that start with an underscore are parts that recipes share.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

from zerosum.errors import UserError, suggest


def names() -> list[str]:
    """Every recipe of the house."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def find(name: str) -> ModuleType:
    """The recipe's module. `name` is a recipe of the house, or the path of a Python file that defines one.

    Raises UserError where there is none, or where the file has no Config or build.
    """
    if name in names():
        return importlib.import_module(f"{__name__}.{name}")
    path = Path(name)
    if path.suffix != ".py":
        raise UserError(f"no recipe {name}: {suggest(name, names())}")
    if not path.is_file():
        raise UserError(f"no recipe file {path}: check the path")
    where = importlib.util.spec_from_file_location(path.stem, path)
    assert where is not None and where.loader is not None
    module = importlib.util.module_from_spec(where)
    sys.modules[path.stem] = module
    where.loader.exec_module(module)
    if missing := {"Config", "build"} - set(vars(module)):
        raise UserError(f"{path} is no recipe: it lacks {' and '.join(sorted(missing))}; docs/add-a-recipe.md shows one")
    return module


def summary(name: str) -> str:
    """The recipe in one line: the first of its docstring."""
    return (find(name).__doc__ or "").strip().split("\n")[0]
