"""Which files become which: what `zerosum translate` was asked to do, item by item, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zerosum.data.shelf import Folder
from zerosum.errors import UserError, suggest
from zerosum.pictures import SUFFIXES


@dataclass(frozen=True)
class Errand:
    """One picture to be made."""

    name: str  # as people are told of it
    files: dict[str, Path]  # a file for each input
    out: Path
    mask: Path | None = None


@dataclass(frozen=True)
class Place:
    """A file, or a folder's pictures by their names without suffixes."""

    path: Path
    members: dict[str, Path] = field(default_factory=dict)
    folder: bool = False

    def beside(self, key: str, what: str) -> Path:
        """The file that belongs to a member of another place: the one of its name, or this one for all."""
        if not self.folder:
            return self.path
        if key not in self.members:
            raise UserError(f"{self.path} holds no {what} called {key}: names must be equal, apart from their ends")
        return self.members[key]


def place(path: Path, leave_out: Path | None = None) -> Place:
    """What lies at a path; of a folder, without what lies in `leave_out`. Raises UserError where there is nothing to read."""
    if path.is_dir():
        names = [name for name in Folder(path).names if leave_out is None or not _within(path / name, leave_out, path)]
        if not names:
            raise UserError(f"{path}: no pictures there")
        members: dict[str, Path] = {}
        for name in names:
            key = str(Path(name).with_suffix(""))
            members[name if key in members else key] = path / name
        return Place(path, members, True)
    if not path.exists():
        raise UserError(f"no file or folder at {path}: check the path")
    return Place(path, {path.stem: path})


def _within(path: Path, folder: Path, top: Path) -> bool:
    """Whether a file lies in a folder that is below the top one."""
    return folder.resolve() != top.resolve() and folder.resolve() in path.resolve().parents


def named(wishes: Sequence[str], names: Sequence[str]) -> dict[str, Place]:
    """Places from words like "garment=FILE". Raises UserError where a name is unknown, or given twice."""
    found: dict[str, Place] = {}
    for wish in wishes:
        name, equals, path = wish.partition("=")
        if not equals or not path:
            raise UserError(f"--with {wish}: give NAME=FILE or NAME=FOLDER; the names are {', '.join(names)}")
        if name not in names:
            raise UserError(f"--with {wish}: no input {name}: {suggest(name, list(names))}")
        if name in found:
            raise UserError(f"--with {wish}: {name} is given twice")
        found[name] = place(Path(path))
    return found


def errands(
    inputs: Sequence[Path], names: Sequence[str], beside: Mapping[str, Place], mask: Place | None, out: Path, kind: str
) -> list[Errand]:
    """Every picture to be made, in order.

    `names`: the game's inputs; those not `beside` come from `inputs`: where that is one name each input is an item of it,
    else there must be one for each name. `kind`: the suffix where `out` is a folder. Raises UserError where inputs are missing
    or too many, names do not match, or a file would be written twice or over an input.
    """
    left = [name for name in names if name not in beside]
    if not left:
        raise UserError(f"every input is given with --with: give {names[0]} as INPUT")
    if len(left) > 1 and len(inputs) != len(left):
        raise UserError(f"this run takes {len(left)} inputs: give {' '.join(left)} in this order, or --with NAME=FILE")
    single = len(inputs) == len(left) and not any(path.is_dir() for path in inputs)
    alone = single and out.suffix != "" and not out.is_dir()
    if alone and out.suffix.lower() not in SUFFIXES:
        raise UserError(f"--out {out}: end it in {', '.join(SUFFIXES)}, or name a folder")
    if not alone and out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise UserError(f"--out {out}: there is more than one picture to make: name a folder")
    leave_out = None if alone else out
    places = [place(path, leave_out) for path in inputs]
    found = []
    for each in places if len(left) == 1 else places[:1]:
        for key, file in each.members.items():
            files = {left[0]: file} | {name: other.beside(key, name) for name, other in beside.items()}
            files |= {name: other.beside(key, name) for name, other in zip(left[1:], places[1:], strict=len(left) > 1)}
            target, hole = out if alone else out / f"{key}{kind}", None if mask is None else mask.beside(key, "mask")
            found.append(Errand(str(file), {name: files[name] for name in names}, target, hole))
    _check(found)
    return found


def _check(found: Sequence[Errand]) -> None:
    """No output is written twice, and none over a file that is read."""
    read = {file.resolve() for one in found for file in (*one.files.values(), *([one.mask] if one.mask else []))}
    made: dict[Path, str] = {}
    for one in found:
        if (where := one.out.resolve()) in read:
            raise UserError(f"{one.out} is an input, and inputs are never written over: choose another --out")
        if where in made:
            raise UserError(f"{made[where]} and {one.name} would both become {one.out}: translate them apart")
        made[where] = one.name
