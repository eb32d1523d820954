"""Pairs of images: side by side, in folders matched by name, arrays of an .npz file, columns of a CSV of file names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum.data import frames, images, matching, npz, pictures, terms
from zerosum.data import target as sizes
from zerosum.data.arrays import checked, guarded
from zerosum.data.columns import BENT, Column, Rows, Stack, brought
from zerosum.data.found import Found
from zerosum.data.likeness import equal
from zerosum.data.pack import LEAST, look, packed
from zerosum.data.paired import Paired
from zerosum.data.parquet import Parquet
from zerosum.data.shelf import SUFFIXES, Shelf
from zerosum.data.shelves import Half, Listed, Part
from zerosum.errors import UserError

GIVES = ("pairs",)
HALVES = ("left", "right")
NEARLY = 0.95
"""Share of pictures that must be twice as wide as high to be taken for pairs side by side."""
COMMON = 0.5
"""Share of the files of two folders that must have a partner to be taken for pairs where nobody said so."""
LAYOUT = "docs/pairs.md shows how pairs can be laid out"


def accepts(what: Any) -> bool:
    """Whether this is a folder, an archive or a Parquet file of pictures, an .npz, a table of file names, or named arrays."""
    if isinstance(what, Mapping):
        return bool(what) and all(isinstance(x, np.ndarray | torch.Tensor) for x in what.values())
    if not isinstance(what, str | Path):
        return False
    path = Path(what)
    return is_npz(path) or is_table(path) or pictures.accepts(path)


def obvious(what: Any) -> bool:
    """Whether names alone say that these are pairs: arrays or folders a and b, or input and target, with equal file names."""
    if isinstance(what, Mapping):
        return accepts(what)
    if not isinstance(what, str | Path):
        return False
    path = Path(what)
    if is_npz(path):
        return _plain_arrays(path)
    return (found := named_columns(path)) is not None and matched(found)


def named_columns(path: Path) -> matching.Layout | None:
    """What lies in a folder whose sub-folders' names leave no doubt that they are inputs and a target; else None."""
    try:
        with os.scandir(path) as entries:
            heads = [entry.name + "/." for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:  # no folder, or one that cannot be read: who is asked to read it says so
        return None
    if len(heads) > 8 or not matching.plainly(list(matching.lay_out(heads).columns)):
        return None
    return matching.lay_out(pictures.shelf_of(path).names)


def matched(found: matching.Layout) -> bool:
    """Whether most of the files in columns have partners of their name."""
    if len(found.columns) < 2:
        return False
    keys, _ = matching.partners(found, list(found.columns))
    return len(keys) >= COMMON * max(map(len, found.columns.values()))


def load(
    what: Any,
    labels: Any = None,
    held_out: float | None = None,
    size: str | None = None,
    inputs: str | None = None,
    target: str | None = None,
) -> Paired:
    """A source of matched pairs.

    `inputs`, `target`: the sub-folders, arrays or columns to start from, "left,back", and the one to be made; of pictures side
    by side `target` is left or right. `size`: what all are brought to, by default what suits the target. Raises UserError where
    no pairs can be found, or the pictures of a pair differ in shape.
    """
    if labels is not None:
        raise UserError("pairs take no labels: leave them out")
    origin = str(what) if isinstance(what, str | Path) else "arrays"
    return gather(what, size, inputs, target).paired(origin, held_out)


def gather(what: Any, size: str | None = None, inputs: str | None = None, target: str | None = None) -> Rows:
    """The pairs as rows of arrays."""
    if isinstance(what, Mapping):
        return of_arrays({name: np.asarray(torch.as_tensor(x)) for name, x in what.items()}, size, inputs, target, "arrays")
    path = Path(what)
    if is_npz(path):
        return of_arrays(read_npz(path), size, inputs, target, str(path))
    if is_table(path):
        return _table(path, size, inputs, target)
    shelf = pictures.shelf_of(path)
    if isinstance(shelf, Parquet) and len(shelf.columns) > 1:
        return _parquet(path, shelf, size, inputs, target)
    if side_by_side(shelf, inputs, target):
        return _halves(shelf, size, inputs, target)
    return _folders(shelf, size, inputs, target)


def is_npz(path: Path) -> bool:
    """Whether this is an .npz file."""
    return path.suffix.lower() == ".npz" and path.is_file()


def is_table(path: Path) -> bool:
    """Whether this is a text table."""
    return path.name.lower().endswith(frames.ENDINGS) and path.is_file()


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file."""
    held = guarded(path, lambda: npz.read(path))
    if not isinstance(held, dict):
        raise UserError(f"{path}: holds one array without a name, and not several: save them with np.savez(PATH, a=..., b=...)")
    return held


def _plain_arrays(path: Path) -> bool:
    try:
        return terms.plainly(npz.shapes(path))
    except Exception:  # damaged: the reader that is asked for it says so
        return False


def of_arrays(arrays: Mapping[str, np.ndarray], size: str | None, inputs: str | None, target: str | None, origin: str) -> Rows:
    """Pairs among named arrays as rows. Raises UserError where there are none, or their numbers or shapes differ."""
    chosen = terms.choose(arrays, inputs, target, origin)
    x = images.at_rest(checked(chosen.x, None, origin)[0], origin, None)
    stored = (x.shape[2], x.shape[3])
    wanted = stored if size is None else sizes.parse(size)
    given = {}
    for name, part in chosen.inputs.items():
        part = images.at_rest(checked(part, None, origin)[0], origin, None)
        high, wide = part.shape[2:]
        if len(part) != len(x):
            raise UserError(f"{origin}: {len(part)} images of {name} and {len(x)} of {chosen.made}: pairs need as many of each")
        if abs(high * stored[1] - wide * stored[0]) > BENT * stored[1] * high:
            both = f"{name} is {sizes.words((high, wide))} and {chosen.made} {sizes.words(stored)}"
            raise UserError(f"{origin}: {both} (height x width): cut both to one shape")
        given[name] = images.sized(part, wanted)
    found = Found("arrays of pairs", len(x), sizes={stored: len(x)}, reason="as asked" if size else "their own size")
    x = images.sized(x, wanted)
    same = equal(x)
    groups = tuple(one for one in (same, chosen.groups) if one is not None)
    stacks = {name: _stack(part) for name, part in given.items()}
    return Rows(stacks, chosen.made, _stack(x), [f"item {i}" for i in range(len(x))], found, groups=groups)


def _stack(x: np.ndarray) -> Stack:
    return Stack(x.transpose(0, 2, 3, 1), np.arange(len(x)))


def _table(path: Path, size: str | None, inputs: str | None, target: str | None) -> Rows:
    frame = frames.read(path)
    able = [str(name) for name in frame.columns if _files(frame[name])]
    if len(able) < 2 and not inputs:
        listed = ", ".join(able) or "none"
        raise UserError(f"{path}: pairs need two columns of picture files or more, and these are: {listed}; {LAYOUT}")
    given, made = matching.roles(able, inputs, target, str(path), "column of picture files")
    columns = {}
    for name in (*given, made):
        words = ["" if word != word else str(word).strip() for word in frame[name]]
        names, rows = np.unique(words, return_inverse=True)
        if len(names) < LEAST:  # few pictures that come in many rows: packs are of ten or more
            names, rows = np.array(words), np.arange(len(words))
        columns[name] = Column(Listed(str(path), path.parent, [str(n) for n in names], f"column {name}"), rows.tolist())
    read, kept = brought(columns, made, size)
    groups = next((frame[name] for name in terms.GROUPS if name in frame.columns), None)
    if groups is not None:
        read = replace(read, groups=(*read.groups, np.unique(groups.astype(str).to_numpy()[kept], return_inverse=True)[1]))
    return replace(read, found=replace(read.found, kind="table of pairs"))


def _parquet(path: Path, shelf: Parquet, size: str | None, inputs: str | None, target: str | None) -> Rows:
    given, made = matching.roles(shelf.columns, inputs, target, str(path), "column of images")
    read, _ = brought({name: Column(Parquet(path, name), range(len(shelf.names))) for name in (*given, made)}, made, size)
    return replace(read, found=replace(read.found, kind="columns of Parquet"))


def _files(column: Any) -> bool:
    """Whether most cells of a column are names of picture files."""
    cells = [str(cell).strip().lower() for cell in column[:1000]]
    return 2 * sum(cell.endswith(SUFFIXES) for cell in cells) > len(cells)


def side_by_side(shelf: Shelf, inputs: str | None, target: str | None) -> bool:
    """Whether the pictures are pairs side by side: a half that is no sub-folder is named, or all are twice as wide as high."""
    if {inputs, target} & set(HALVES) and {inputs, target} <= {*HALVES, None}:
        columns = {name.lower() for name in matching.lay_out(shelf.names).columns}
        return not columns & {inputs, target}  # or sub-folders are meant
    if inputs or target:
        return False
    facts = look(shelf)
    return bool(facts) and sum(abs(fact.width - 2 * fact.height) <= 1 for fact in facts) >= NEARLY * len(facts)


def _halves(shelf: Shelf, size: str | None, inputs: str | None, target: str | None) -> Rows:
    if inputs == target and inputs is not None:
        raise UserError(f"{shelf.origin}: both halves are {inputs}: name one of them as --target")
    made = target or ("left" if inputs == "right" else "right")
    given = "right" if made == "left" else "left"
    columns = {name: Column(Half(shelf, 1 + HALVES.index(name)), range(len(shelf.names))) for name in (given, made)}
    keep, skipped = None, dict[str, str]()
    if not inputs and not target:
        sides = packed(columns[made].shelf, None if size is None else sizes.parse(size)).sides
        keep = np.abs(sides[:, 0] - sides[:, 1]) <= 1
        skipped = {shelf.names[slot]: "not twice as wide as high, as the others are" for slot in np.flatnonzero(~keep)}
    read, kept = brought(columns, made, size, keep)
    skipped |= dict(read.found.skipped)
    found = replace(read.found, kind=f"pairs side by side in a {shelf.kind}", skipped=tuple(skipped.items()))
    test = np.array([matching.is_test(shelf.names[i]) for i in kept], bool)
    return replace(read, test=test, found=found)


def _folders(shelf: Shelf, size: str | None, inputs: str | None, target: str | None) -> Rows:
    found = matching.lay_out(shelf.names)
    if len(found.columns) < 2 and (inputs or target) and side_by_side(shelf, None, None):
        asked = " and ".join(word for word in (inputs, target) if word)
        raise UserError(
            f"{shelf.origin}: pictures side by side have a left and a right half, and no {asked}: take left or right"
        )
    if len(found.columns) < 2:
        raise UserError(f"{shelf.origin}: neither pictures side by side (twice as wide as high) nor sub-folders; {LAYOUT}")
    given, made = matching.roles(list(found.columns), inputs, target, shelf.origin, "sub-folder")
    keys, alone = matching.partners(found, [*given, made])
    if not keys:
        some = [shelf.names[next(iter(found.columns[name].values()))] for name in (given[0], made)]
        raise UserError(f"{shelf.origin}: no two files are partners: {some[0]} and {some[1]} have different names; {LAYOUT}")
    columns = {
        name: Column(Part(shelf, [found.columns[name][key] for key in keys], f"files of {name}"), range(len(keys)))
        for name in (*given, made)
    }
    read, kept = brought(columns, made, size)
    unasked = [name for name in found.columns if name not in (*given, made)]
    notes = (f"left aside: sub-folder {', '.join(unasked)}",) if unasked else ()
    lonely = tuple(shelf.names[slot] for slot in sorted({*alone, *found.twice, *found.loose}))
    test = np.array([keys[i][0] for i in kept], bool)
    kind = f"sub-folders of pairs in a {shelf.kind}"
    return replace(read, test=test, found=replace(read.found, kind=kind, alone=lonely, notes=notes))
