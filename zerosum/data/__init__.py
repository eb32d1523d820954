"""Data of every kind. `open_source` finds the reader; `modality` turns model space into what people look at.

A reader is a module here with `accepts(what) -> bool` and `load(what, labels, held_out) -> Source`; one whose items have a
height and a width takes `size` too, one of tables `target`, `schema`, `codec` and `budget`, one of pairs `inputs` and
`target`. What its sources give beside plain items it says in `GIVES`: "pairs" (`a` beside `x`), "domains" (`a` and `x` that
do not belong together), "crops" (`x` cut from whole photographs); `obvious(what)` says where nobody need ask for it. A
modality is a module with `decode`, `encode`, `picture` and `write`. Both are found by looking at the files: adding one touches
no other.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from zerosum.data.source import Modality, Source, Spec
from zerosum.errors import UserError


def _having(*functions: str) -> dict[str, ModuleType]:
    return _found(tuple(__path__), functions)


@functools.cache  # looking over the files takes as long as making a small picture
def _found(paths: tuple[str, ...], functions: tuple[str, ...]) -> dict[str, ModuleType]:
    modules = {found.name: importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(paths)}
    return {name: module for name, module in modules.items() if set(functions) <= set(vars(module))}


def modality(spec: Spec) -> Modality:
    """The module that shows data of this kind. Raises UserError where this version has none."""
    known = _having("decode", "encode", "picture", "write")
    if spec.kind not in known:
        raise UserError(f"data of kind {spec.kind} are unknown here: update zerosum, which knows {', '.join(known)}")
    return known[spec.kind]


def _reader(what: Any, need: str | None = None) -> ModuleType | None:
    readers = _having("accepts", "load").values()
    if need not in (None, "items"):
        giving = next((one for one in readers if need in vars(one).get("GIVES", ()) and one.accepts(what)), None)
        return giving if giving or need != "crops" else _reader(what, "items")  # images of one size are crops of themselves
    if need is None:
        for reader in _having("accepts", "load", "obvious").values():
            if reader.obvious(what):
                return reader
    return next((one for one in readers if "GIVES" not in vars(one) and one.accepts(what)), None)


def _meant(what: Any, inputs: str | None, target: str | None) -> str | None:
    """What is needed where nobody said so: pairs, where something is named that only they have."""
    if inputs is None and target is not None:
        plain = _reader(what, "items")
        return "pairs" if plain and "target" not in inspect.signature(plain.load).parameters else None
    return "pairs" if inputs is not None else None


def lasting(what: str | Path) -> str:
    """The words by which `open_source` finds the same data from any folder: an absolute path, or a built-in set's name."""
    parts = [str(what)] if Path(what).exists() else str(what).split(",")  # FIRST,SECOND: two sets
    absolute = ",".join(str(Path(part.strip()).resolve()) for part in parts)
    return absolute if _reader(absolute) is not None and _reader(what) is _reader(absolute) else str(what)


UNMET = {
    "size": "cannot be brought to another size: leave --size out; it is for image files and arrays",
    "target": "has no columns with names: leave --target out; it is for tables, and for pairs of images",
    "inputs": "is not read as pairs: leave --inputs out, or take --recipe pix2pix or compose",
    "schema": "has no schema: leave --schema out; it is for tables",
    "budget": "is no table: leave --dp-epsilon out; it is for tables",
    "codec": "is no table any more: give the table that the run was trained on",
}
"""What to say where a wish meets data that cannot have it."""


LACKING = {
    "pairs": "holds no pairs: give pictures side by side, two folders of pictures with equal names, an .npz with an array for "
    "each side, or a .csv with a column of files for each",
    "domains": "holds no two sets of images: give a folder with two sub-folders, or an .npz with two arrays",
    "crops": "holds no photographs to cut from: give a folder or an archive of them, or an array",
}
"""What to say where a recipe needs what data do not have."""


def open_source(
    what: Any,
    labels: Any = None,
    held_out: float | None = None,
    size: str | None = None,
    target: str | None = None,
    schema: Any = None,
    codec: Any = None,
    budget: Any = None,
    need: str | None = None,
    inputs: str | None = None,
) -> Source:
    """A source for a name (digits, ring8, grid25), the path of a file or folder, an array, a DataFrame, or a source already.

    `labels`: an integer or string array beside an array; files bring their own. `held_out`: the share of items kept out
    of training, in (0, 1). `size`: what images are brought to, "64" or "64x48" (height x width). Of tables: `target`, the
    column to be predicted; `schema`, a Schema or its JSON file; `codec`, as a run kept it; `budget`, to read
    privately (`zerosum.private.budget`). `need`: what a recipe plays on: items, or what it has in `NEEDS`, pairs, domains or
    crops; by default what the data plainly are. Of pairs `inputs`, the arrays, columns or sub-folders to start from,
    "left,back", and `target`, the one to be made. Raises UserError where nothing here can
    read it, or what is wished is for other data.
    """
    if isinstance(what, Source):
        return what
    if held_out is not None and not 0 < held_out < 1:
        raise UserError(f"held-out share {held_out}: must lie between 0 and 1")
    need = need or _meant(what, inputs, target)
    if reader := _reader(what, need):
        wishes = {"size": size, "target": target, "schema": schema, "codec": codec or None, "budget": budget, "inputs": inputs}
        wishes = {name: wish for name, wish in wishes.items() if wish is not None}
        if unmet := wishes.keys() - set(inspect.signature(reader.load).parameters):  # how a reader says what its data have
            shown = what if isinstance(what, str | Path) else "what was given"
            raise UserError(f"{shown} {UNMET[sorted(unmet)[0]]}")
        return reader.load(what, labels=labels, held_out=held_out, **wishes)
    if need in LACKING and _reader(what) is not None:
        raise UserError(f"{what if isinstance(what, str | Path) else 'what was given'} {LACKING[need]}")
    if not isinstance(what, str | Path):
        kind = type(what).__name__
        raise UserError(f"cannot read data of type {kind}: give a NumPy array, a tensor, a DataFrame, a path or a set's name")
    if not Path(what).exists():
        raise UserError(f"no data at {what}: check the path, or take one of the built-in sets digits, ring8, grid25")
    raise UserError(
        f"cannot read {what}: give a folder of images, a .zip, .tar or .parquet of them, an .npy, .npz or idx (.gz) file, "
        "or a table (.csv, .tsv, .parquet)"
    )
