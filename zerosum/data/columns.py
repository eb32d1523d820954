"""Rows of pictures in several columns, brought to one size without bending one against another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import prod

import numpy as np

from zerosum.data import pictures
from zerosum.data import target as sizes
from zerosum.data.found import Found
from zerosum.data.likeness import united
from zerosum.data.pack import LEAST, Pack, packed
from zerosum.data.paired import Paired, in_memory, plain, spec_of
from zerosum.data.shelf import Shelf
from zerosum.data.source import Source, Spec, divide
from zerosum.data.streamed import Streamed
from zerosum.errors import UserError

ENOUGH = f"a GAN needs at least {LEAST}, and wants hundreds"
BENT = 0.03
"""How much the shapes of two pictures of a row may differ, for sides are whole pixels."""


@dataclass(frozen=True)
class Column:
    """Pictures of one kind: a shelf, and the slot in it for each row."""

    shelf: Shelf
    rows: Sequence[int]


@dataclass(frozen=True)
class Stack:
    """Images row by row: rows of a file of bytes that may be larger than memory, uint8 [m, h, w, c]."""

    pixels: np.ndarray
    slots: np.ndarray  # int64 [n]: where each row's image is
    key: str = ""  # of the pack, where there is one

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        height, width, channels = self.pixels.shape[1:]
        return channels, height, width

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return len(self.slots) * prod(self.shape)

    def source(self, spec: Spec, parts: tuple[np.ndarray, np.ndarray], streamed: bool) -> Source:
        """Rows for training and rows held out, in memory or read from disk while they are needed."""
        spec, slots = plain(spec, self.shape), (self.slots[parts[0]], self.slots[parts[1]])
        known = sha256(repr((self.key, [part.tolist() for part in slots])).encode()).hexdigest() if self.key else None
        if streamed and known is not None:
            return Streamed(spec, self.pixels, slots, (None, None), known)
        train, held = (self.pixels[part].transpose(0, 3, 1, 2) for part in slots)
        return in_memory(spec, train, held, known)


@dataclass(frozen=True)
class Rows:
    """Named images row by row: inputs in order and what is to be made of them.

    `names`: of the rows. `test`: bool [n], which came as part of a test set. `groups`: int [n] each, rows that stay together.
    """

    inputs: Mapping[str, Stack]
    made: str
    x: Stack
    names: Sequence[str]
    found: Found
    test: np.ndarray | None = None
    groups: tuple[np.ndarray, ...] = ()

    def paired(self, origin: str, held_out: float | None) -> Paired:
        """The source of these rows, in memory or, where they are too many for it, read from disk.

        Raises UserError where they are fewer than ten.
        """
        count, notes = len(self.names), self.found.notes
        stacks = (*self.inputs.values(), self.x)
        nbytes = sum(stack.nbytes for stack in stacks)
        if count < LEAST:
            raise UserError(f"{origin}: {count} pairs: {ENOUGH}")
        if self.test is not None and held_out is None and 0 < self.test.sum() < count:
            parts = np.flatnonzero(~self.test), np.flatnonzero(self.test)
            notes = (*notes, f"held out: {len(parts[1]):,} pairs, which came as a test part")
        else:
            share = held_out if held_out is not None else pictures.share_of(count, nbytes)
            parts = divide(count, None, share, origin, united(*self.groups) if self.groups else None)
        spec = spec_of({name: stack.shape for name, stack in self.inputs.items()}, self.x.shape, self.made, origin)
        spec = replace(spec, items=len(parts[0]))
        streamed = all(stack.key for stack in stacks) and nbytes > pictures.IN_MEMORY * pictures.memory()
        sources = [stack.source(spec, parts, streamed) for stack in stacks]
        source = Paired(spec, sources[:-1], sources[-1])
        names = [self.names[row] for part in parts for row in part.tolist()]
        source.found = replace(self.found, names=names, notes=notes, streamed=streamed)
        return source


def brought(
    columns: Mapping[str, Column], made: str, size: str | None, keep: np.ndarray | None = None
) -> tuple[Rows, np.ndarray]:
    """Rows of the pictures of columns, and the numbers of the rows that are left, int64 [n].

    All are brought to the size that suits the column `made`, or the one asked for: scaled to cover it and cut to its middle.
    Rows with a broken file are left out. Raises UserError, with names, where the pictures of a row differ in shape.
    """
    if len(columns[made].rows) < LEAST:
        raise UserError(f"{columns[made].shelf.origin}: {len(columns[made].rows)} pairs: {ENOUGH}")
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
    taken = {name: Stack(pack.pixels, slots[name][rows], pack.key) for name, pack in packs.items()}
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
    return Rows(inputs, made, taken[made], names, found, groups=(first.same[slots[made][rows]],)), rows


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
