"""Two sets of images that are not matched: two folders, two files, two arrays of an .npz, or pairs taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum.data import arrays, images, matching, npz, pairs, pictures, terms
from zerosum.data import target as sizes
from zerosum.data.found import Found
from zerosum.data.shelf import Shelf
from zerosum.data.shelves import Part
from zerosum.data.source import Source
from zerosum.data.unpaired import Domains
from zerosum.errors import UserError

GIVES = ("domains",)


def accepts(what: Any) -> bool:
    """Whether this is what pairs are read from, or two paths of plain images with a comma between."""
    return pairs.accepts(what) or _two(what) is not None


def obvious(what: Any) -> bool:
    """Whether names alone say that these are two sets: sub-folders such as a and b whose files have different names."""
    if not isinstance(what, str | Path):
        return False
    if (both := _two(what)) is not None:
        return all(_plain(path) for path in both)
    return (found := pairs.named_columns(Path(what))) is not None and len(found.columns) == 2 and not pairs.matched(found)


def load(
    what: Any,
    labels: Any = None,
    held_out: float | None = None,
    size: str | None = None,
    inputs: str | None = None,
    target: str | None = None,
) -> Domains:
    """A source of two sets, each drawn by itself. `inputs`, `target`: the sub-folder or array of each.

    `size`: what both are brought to, by default what suits the target; scaled to cover it and cut to the middle. Raises
    UserError where two sets cannot be found.
    """
    if labels is not None:
        raise UserError("two sets of images take no labels: leave them out")
    if inputs is not None and "," in inputs:
        raise UserError(f"inputs {inputs}: from one set of images to another there is one input: name it alone")
    if (both := _two(what)) is not None and not isinstance(what, Mapping):
        return _files(both, held_out, size)
    if isinstance(what, Mapping):
        given = {name: np.asarray(torch.as_tensor(x)) for name, x in what.items()}
        return _arrays(given, "arrays", held_out, size, inputs, target)
    path = Path(what)
    if pairs.is_npz(path):
        return _arrays(pairs.read_npz(path), str(path), held_out, size, inputs, target)
    if not pairs.is_table(path):
        shelf = pictures.shelf_of(path)
        found = matching.lay_out(shelf.names)
        if len(found.columns) > 1 and not pairs.side_by_side(shelf, inputs, target):
            chosen = matching.roles(list(found.columns), inputs, target, str(path), "sub-folder")
            one, other = _single(chosen, str(path), "sub-folder")
            if not pairs.matched(matching.Layout({name: found.columns[name] for name in (one, other)})):
                return _folders(shelf, found, one, other, held_out, size)
    matched = pairs.load(what, None, held_out, size, inputs, target)
    _single((list(matched.spec.given), matched.spec.made), str(what), "input")
    a, x = matched.apart()
    source = Domains(a, x, (next(iter(matched.spec.given)), matched.spec.made))
    found_there = matched.found or Found()
    source.found = replace(found_there, notes=(*found_there.notes, "pairs taken apart: each side is drawn by itself"))
    return source


def _single(chosen: tuple[list[str], str], origin: str, noun: str) -> tuple[str, str]:
    given, made = chosen
    if len(given) != 1:
        raise UserError(f"{origin}: {noun}s {', '.join(given)} and {made}: name the two sets with --inputs and --target")
    return given[0], made


def _two(what: Any) -> tuple[Path, Path] | None:
    """The two paths of FIRST,SECOND."""
    if not isinstance(what, str | Path) or str(what).count(",") != 1 or Path(what).exists():
        return None
    first, second = (Path(part.strip()) for part in str(what).split(","))
    return (first, second) if all(npz.named(path)[0].exists() for path in (first, second)) else None


def _plain(path: Path) -> bool:
    return arrays.accepts(str(path)) or pictures.accepts(str(path))


def _open(path: Path, held_out: float | None, size: str | None) -> Source:
    reader = next((one for one in (arrays, pictures) if one.accepts(str(path))), None)
    if reader is None:
        raise UserError(f"cannot read {path} as images: give a folder, an archive or an array")
    source: Source = reader.load(str(path), held_out=held_out, size=size)
    if source.spec.kind != "images":
        raise UserError(f"{path} holds {source.spec.kind}, and two sets of images are needed")
    return source


def _words(source: Source) -> str:
    return "x".join(map(str, source.spec.shape[1:]))


def _files(both: tuple[Path, Path], held_out: float | None, size: str | None) -> Domains:
    x = _open(both[1], held_out, size)
    a = _open(both[0], held_out, _words(x))
    names = (both[0].stem, both[1].stem) if both[0].stem != both[1].stem else ("a", "b")
    return _beside(a, x, names, f"{both[0]},{both[1]}")


def _folders(shelf: Shelf, found: matching.Layout, one: str, other: str, held_out: float | None, size: str | None) -> Domains:
    def opened(name: str, size: str | None) -> Source:
        keys = found.columns[name]
        part = Part(shelf, list(keys.values()), f"files of {name}")
        return pictures.from_shelf(part, None, held_out, size, np.array([test for test, _ in keys]))

    x = opened(other, size)
    return _beside(opened(one, _words(x)), x, (one, other), shelf.origin)


def _arrays(
    held: Mapping[str, np.ndarray],
    origin: str,
    held_out: float | None,
    size: str | None,
    inputs: str | None,
    target: str | None,
) -> Domains:
    able = [name for name in terms.images_among(held) if held[name].ndim < 5]
    if inputs is None or target is None:
        one, other = _single(matching.roles(able, inputs, target, origin, "array"), origin, "array")
    else:
        one, other = inputs, target
    x, a = (arrays.checked(terms.pick(held, name, origin), None, origin)[0] for name in (other, one))
    if len(a) == len(x):  # split as pairs would be, so that what is held out of one is held out of the other
        matched = pairs.of_arrays(held, size, one, other, origin).paired(origin, held_out)
        return _beside(*matched.apart(), (one, other), origin)
    made = images.from_array(x, None, (), origin, held_out, size=size)
    given = images.from_array(a, None, (), origin, held_out, size=_words(made))
    return _beside(given, made, (one, other), origin)


def _beside(a: Source, x: Source, names: tuple[str, str], origin: str) -> Domains:
    """The two, with what was found of each."""
    source = Domains(a, x, names)
    source.spec = replace(source.spec, origin=origin)
    mine, theirs = a.found or Found(), x.found or Found()
    stored = ", ".join(f"{sizes.words(size)} ({count:,})" for size, count in list(mine.sizes.items())[:3])
    notes = [f"{names[0]}: {a.spec.items:,} images to train on" + (f", stored as {stored}" if stored else "")]
    if a.spec.shape[0] != x.spec.shape[0]:
        notes.append(f"{names[0]}: {a.spec.shape[0]} channels were made {x.spec.shape[0]}, as {names[1]} has")
    skipped = (*theirs.skipped, *mine.skipped)
    kind = f"two sets, {theirs.kind}" if theirs.kind != "array" else "two arrays"
    source.found = replace(theirs, kind=kind, files=mine.files + theirs.files, skipped=skipped, notes=(*theirs.notes, *notes))
    return source
