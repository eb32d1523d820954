"""One GAN a file; the file's name is the recipe's.

A recipe is a module with `Config`, a frozen dataclass of numbers and words, and `build(cfg, spec) -> Game`. The first
line of its docstring is what `zerosum list` shows. `NEEDS`, where it has one, says what it plays on instead of plain items:
"pairs", "domains" or "crops" (see `zerosum.data`).
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from zerosum.errors import UserError, suggest


def names() -> list[str]:
    """Every recipe of the house."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


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
    module = _run_file(path.resolve())
    if missing := {"Config", "build"} - set(vars(module)):
        raise UserError(f"{path} is no recipe: it lacks {' and '.join(sorted(missing))}; docs/add-a-recipe.md shows one")
    return module


def needs(name: str) -> str | None:
    """What the recipe plays on, "items" where it says nothing else; None for "auto". Raises as `find` does."""
    return None if name == "auto" else vars(find(name)).get("NEEDS", "items")


def _run_file(path: Path) -> ModuleType:
    """Execute a recipe file, once, under a name that no real module has."""
    private = f"_zerosum_recipe_{path.stem}_{sha256(str(path).encode()).hexdigest()[:16]}"
    if private in sys.modules:
        return sys.modules[private]
    where = importlib.util.spec_from_file_location(private, path)
    assert where is not None and where.loader is not None
    sys.modules[private] = importlib.util.module_from_spec(where)
    try:
        where.loader.exec_module(sys.modules[private])
    except Exception as error:
        del sys.modules[private]
        raise UserError(f"{path} cannot be loaded ({type(error).__name__}: {error}): put it right") from error
    return sys.modules[private]


def summary(name: str) -> str:
    """The recipe in one line: the first of its docstring."""
    return _docstring(name).split("\n")[0]


def source(name: str) -> str:
    """Where a recipe of the house comes from, papers and sections: its docstring without the first line, in one line."""
    return " ".join(_docstring(name).split("\n", 1)[-1].split())


def _docstring(name: str) -> str:
    path = Path(__path__[0]) / f"{name}.py" if name in names() else Path(name)
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""  # read, not imported: a list need not wait for torch
