"""Rows of pictures in several columns, brought to one size without bending one against another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerosum.data import target as sizes
from zerosum.data.found import Found
from zerosum.data.pack import LEAST, Pack, packed
from zerosum.data.paired import Paired, from_arrays
from zerosum.data.shelf import Shelf
from zerosum.errors import UserError

BENT = 0.03
"""How much the shapes of two pictures of a row may differ, for sides are whole pixels."""


@dataclass(frozen=True)
class Column:
    """Pictures of one kind: a shelf, and the slot in it for each row."""

    shelf: Shelf
    rows: Sequence[int]


@dataclass(frozen=True)
class Rows:
    """Named images row by row, uint8 [n, c, h, w] each: inputs in order and what is to be made of them.

    `names`: of the rows. `test`: bool [n], which came as part of a test set. `groups`: int [n], rows that stay together.
    """

    inputs: Mapping[str, np.ndarray]
    made: str
    x: np.ndarray
    names: Sequence[str]
    found: Found
    test: np.ndarray | None = None
    groups: np.ndarray | None = None

    def paired(self, origin: str, held_out: float | None) -> Paired:
        """The source of these rows. Raises UserError where they are fewer than ten."""
        if len(self.x) < LEAST:
            raise UserError(f"{origin}: {len(self.x)} pairs: a GAN needs at least {LEAST}, and wants hundreds")
        names, test = np.array(self.names), self.test
        if test is not None and held_out is None and 0 < test.sum() < len(test):
            kept = {name: x[test] for name, x in self.inputs.items()}, self.x[test]
            given = {name: x[~test] for name, x in self.inputs.items()}
            order = [*names[~test], *names[test]]
            source = from_arrays(given, self.x[~test], self.made, origin, test=kept, names=order)
            notes = (*self.found.notes, f"held out: {int(test.sum()):,} pairs, which came as a test part")
        else:
            source = from_arrays(self.inputs, self.x, self.made, origin, held_out, self.groups, names=[*names])
            notes = self.found.notes
        source.found = replace(self.found, names=(source.found or Found()).names, notes=notes)
        return source


def brought(
    columns: Mapping[str, Column], made: str, size: str | None, keep: np.ndarray | None = None
) -> tuple[Rows, np.ndarray]:
    """Rows of the pictures of columns, and the numbers of the rows that are left, int64 [n].

    All are brought to the size that suits the column `made`, or the one asked for: scaled to cover it and cut to its middle.
    Rows with a broken file are left out. Raises UserError, with names, where the pictures of a row differ in shape.
    """
    first = packed(columns[made].shelf, None if size is None else sizes.parse(size))
    side = (first.shape[0], first.shape[1])
    packs = {name: first if name == made else packed(column.shelf, side) for name, column in columns.items()}
    slots = {name: np.array(column.rows, np.int64) for name, column in columns.items()}
    good = np.ones(len(columns[made].rows), bool) if keep is None else keep.copy()
    skipped: list[tuple[str, str]] = []
    for name, pack in packs.items():
        whys = dict(pack.skipped)
        bad = np.isin(slots[name], list(whys))
        skipped += [(columns[name].shelf.names[slot], whys[slot]) for slot in np.unique(slots[name][bad]).tolist()]
        good &= ~bad
    rows = np.flatnonzero(good)
    _alike(columns, packs, slots, rows, made)
    taken = {name: _taken(pack, slots[name][rows]) for name, pack in packs.items()}
    found = Found(
        files=len(good),
        skipped=tuple(skipped),
        sizes=first.sizes,
        modes=first.modes,
        enlarged=first.enlarged,
        reason=first.reason,
        cache=str(first.path),
    )
    names = [columns[made].shelf.names[slot] for slot in slots[made][rows].tolist()]
    inputs = {name: x for name, x in taken.items() if name != made}
    return Rows(inputs, made, taken[made], names, found), rows


def _taken(pack: Pack, slots: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pack.pixels[slots].transpose(0, 3, 1, 2))


def _alike(
    columns: Mapping[str, Column], packs: Mapping[str, Pack], slots: Mapping[str, np.ndarray], rows: np.ndarray, made: str
) -> None:
    """Raise UserError where pictures of a row have different shapes: cut to the middle, they would not lie on each other."""
    wanted = packs[made].sides[slots[made][rows]]
    for name, pack in packs.items():
        own = pack.sides[slots[name][rows]]
        bent = np.abs(own[:, 0] * wanted[:, 1] - own[:, 1] * wanted[:, 0])
        near = np.concatenate([own, wanted], 1).max(1)
        wrong = np.flatnonzero((bent > near) | (bent > BENT * wanted[:, 1] * own[:, 0]))
        if len(wrong):
            row = int(wrong[0])
            shown = [
                f"{columns[one].shelf.names[slots[one][rows][row]]} ({sizes.words((int(side[0]), int(side[1])))})"
                for one, side in ((name, own[row]), (made, wanted[row]))
            ]
            raise UserError(
                f"{columns[made].shelf.origin}: {len(wrong):,} of {len(rows):,} pairs are of two shapes, such as "
                f"{shown[0]} and {shown[1]}: cut both to one, or take them away"
            )
