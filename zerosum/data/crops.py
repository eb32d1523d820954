"""Photographs of any sizes, of which random parts are taken: a folder, an archive, a Parquet file, or arrays."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data import arrays, pictures, target
from zerosum.data.cut import Crops
from zerosum.data.decoder import Fact
from zerosum.data.found import Found
from zerosum.data.pack import KINDS, LEAST
from zerosum.data.photographs import Filed, Kept, Photographs, sized, survey
from zerosum.data.shelf import Shelf
from zerosum.data.source import Source, Spec, divide
from zerosum.errors import UserError

GIVES = ("crops",)
SIDE = 128
"""Pixels along a side, where photographs are no smaller."""
MULTIPLE = 4
"""What sides are divisible by unless told otherwise, so that they can be halved twice."""


def accepts(what: Any) -> bool:
    """Whether this is a folder, an archive or a Parquet file of pictures, or arrays of them."""
    return pictures.accepts(what) or arrays.accepts(what)


def load(what: Any, labels: Any = None, held_out: float | None = None, size: str | None = None) -> Source:
    """A source of crops of a size; by default 128 x 128, or as large as 90 % of the photographs are along their short side.

    Arrays are images of one size already, and are taken whole, at the size asked for. `labels` are for plain items.

    Raises UserError where fewer than ten pictures, or fewer than half, can be read, or they are smaller than a crop can be.
    """
    if not pictures.accepts(what):
        return arrays.load(what, labels, held_out, size)
    if labels is not None:
        raise UserError("crops of photographs take no labels: leave them out")
    return from_shelf(pictures.shelf_of(Path(what)), held_out, size)


def from_shelf(shelf: Shelf, held_out: float | None = None, size: str | None = None) -> Crops:
    """A source of crops of the pictures of any shelf. Whole photographs are held out, equal files together."""
    facts = survey(shelf)
    good = [fact for fact in facts if not fact.why]
    bad = tuple((shelf.names[fact.slot], fact.why) for fact in facts if fact.why)
    if len(good) < LEAST or len(bad) > len(good):
        first = f"; {bad[0][0]}: {bad[0][1]}" if bad else ""
        raise UserError(
            f"{shelf.origin}: {len(good)} photographs can be read, and at least {LEAST} are needed ({KINDS}){first}"
        )
    channels = _channels(good, shelf)
    good = [fact for fact in good if fact.channels == channels or {fact.channels, channels} <= {1, 3, 4}]
    side, reason = _side(good, size)
    photos = _photographs(shelf, good, side, channels)
    groups = np.unique([fact.content for fact in good], return_inverse=True)[1]
    share = held_out if held_out is not None else (0.2 if len(good) < 10_000 else 0.1)
    parts = divide(len(good), None, share, shelf.origin, groups)
    spec = Spec("images", (channels, *side), offset=(0.0,), scale=(255.0,), origin=shelf.origin, items=len(parts[0]))
    digest = sha256(repr((spec.shape, [part.tolist() for part in parts])).encode())
    for fact in good:
        digest.update(fact.content)
    source = Crops(spec, photos, parts, digest.hexdigest())
    pieces = sum((photos.every[i].size[0] // side[0]) * (photos.every[i].size[1] // side[1]) for i in parts[0])
    small = sum(one.size != one.stored for one in photos.every)
    source.found = Found(
        kind=shelf.kind,
        files=len(facts),
        skipped=bad,
        sizes=Counter((fact.height, fact.width) for fact in good),
        modes=Counter(fact.mode for fact in good),
        enlarged=small,
        streamed=isinstance(photos, Filed),
        notes=shelf.notes,
        names=[shelf.names[good[i].slot] for part in parts for i in part],
        cut=_words(side, reason, pieces, small, isinstance(photos, Filed)),
        pieces=pieces,
    )
    return source


def _channels(good: list[Fact], shelf: Shelf) -> int:
    """The richest of grey, RGB and RGBA that occurs, or the commonest of other numbers."""
    kinds = Counter(fact.channels for fact in good)
    return max(kinds) if set(kinds) <= {1, 3, 4} else kinds.most_common(1)[0][0]


def _side(good: list[Fact], size: str | None) -> tuple[target.Size, str]:
    """The crops' height and width, and why."""
    if size is not None:
        return target.parse(size), "as asked"
    sizes = Counter((fact.height, fact.width) for fact in good)
    only = next(iter(sizes))
    if len(sizes) == 1 and max(only) <= SIDE:
        return only, "the whole of each"
    short = target.reached(sizes)
    if short >= SIDE:
        return (SIDE, SIDE), f"{SIDE} unless --size says otherwise"
    side = max(MULTIPLE, short // MULTIPLE * MULTIPLE)
    return (side, side), f"as large as {100 * target.COMMON:.0f} % of the photographs are"


def _photographs(shelf: Shelf, good: list[Fact], side: target.Size, channels: int) -> Photographs:
    every = [sized(fact, side) for fact in good]
    shift = max(fact.bits for fact in good) - 8
    filed = Filed(shelf, every, channels, shift)
    if filed.nbytes <= pictures.IN_MEMORY * pictures.memory():
        return Kept(shelf, every, channels, shift)
    if not shelf.anywhere:
        raise UserError(
            f"{shelf.origin}: {filed.nbytes / 2**30:.1f} GB of pixels do not fit into memory: unpack it into a folder"
        )
    return filed


def _words(side: target.Size, reason: str, pieces: int, small: int, streamed: bool) -> str:
    said = f"random parts of {target.words(side)} ({reason}), half of them mirrored; {pieces:,} lie side by side"
    said += f"; {small:,} photographs are enlarged, being smaller" if small else ""
    return said + ("; read from their files each time, being too many for memory" if streamed else "")
