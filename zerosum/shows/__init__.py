"""Grids and films of a trained run, one kind a file: a picture of many items at once, or of one that changes.

A kind is a module here with `Config`, a frozen dataclass whose comments become the help, `SUBJECT`, `still(subject, cfg)
-> Image` and, where it moves, `film(subject, cfg) -> [Image]`. `SUBJECT` is the class of what it shows: `Sampler`, or
`RunDir` where the run folder itself is shown. Kinds are found by looking at the files; adding one touches no other. Files
whose names begin with an underscore are helpers.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from zerosum.errors import UserError, suggest
from zerosum.provenance import Origin, read
from zerosum.sampling import Sampler
from zerosum.shows import _file
from zerosum.shows._wishes import Seeded


def names() -> list[str]:
    """The kinds there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def find(kind: str) -> ModuleType:
    """A kind's module. Raises UserError where there is none."""
    if kind not in names():
        raise UserError(f"no show {kind}: {suggest(kind, names())}")
    return importlib.import_module(f"{__name__}.{kind}")


def summary(kind: str) -> str:
    """A kind in one line: the first of its docstring."""
    doc = ast.get_docstring(ast.parse((Path(__path__[0]) / f"{kind}.py").read_text("utf-8"))) or ""
    return doc.split("\n")[0]


def show(subject: Any, kind: str, out: str | Path, **wishes: Any) -> Path:
    """Write a show of a Sampler (or a RunDir) and return its path. `wishes`: fields of the kind's Config.

    Raises UserError where kind, wish or file's suffix is unknown, or the subject has nothing to show.
    """
    config = find(kind).Config
    known = [field.name for field in fields(config)]
    if strangers := sorted(set(wishes) - set(known)):
        raise UserError(f"show {kind} has no setting {strangers[0]}: {suggest(strangers[0], known)}")
    write(subject, kind, config(**wishes), Path(out))
    return Path(out)


def write(subject: Any, kind: str, cfg: Any, out: Path) -> str:
    """Make a show and write its file, whole or not at all; what it is, in words."""
    module = find(kind)
    if not isinstance(subject, module.SUBJECT):
        raise UserError(f"{kind} is a show of a run folder: zerosum show RUN {kind}")
    cfg.check()
    origin = _origin(subject, kind, cfg)
    if _file.moves(out, kind, "film" in vars(module)):
        frames = module.film(subject, cfg)
        _file.write(out, _file.film(frames, out.suffix.lower(), cfg), origin)
        return f"{len(frames)} frames of {frames[0].width} x {frames[0].height}, {len(frames) / cfg.fps:.1f} s"
    picture = module.still(subject, cfg)
    _file.write(out, _file.still(picture, out.suffix.lower(), cfg), origin)
    return f"{picture.width} x {picture.height}"


def _origin(subject: Any, kind: str, cfg: Any) -> Origin:
    """What the show's file says of what made it; of a run folder, what its last picture says."""
    if isinstance(subject, Sampler):
        found = subject.origin()
        if isinstance(cfg, Seeded):
            seeds = " ".join(map(str, cfg.chosen()))
            found = replace(found, seeds=seeds, label=cfg.label, truncation=cfg.truncation)
    else:
        marks = [read(path).origin for _, path in subject.pictures()[-1:]]
        found = next((mark for mark in marks if mark is not None), Origin())
    return replace(found, act=f"show {kind}")
