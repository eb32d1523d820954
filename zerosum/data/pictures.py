"""Picture files: a folder of them, an archive, Parquet. Packed once, then read from memory or streamed from disk."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum.data import labels as tables
from zerosum.data import target
from zerosum.data.archives import Archive, is_archive
from zerosum.data.found import Found
from zerosum.data.pack import Pack, packed
from zerosum.data.parquet import Parquet, parquet_files
from zerosum.data.shelf import Folder, Shelf
from zerosum.data.source import InMemory, Source, Spec, classes, divide
from zerosum.data.streamed import Streamed

IN_MEMORY = 0.25
"""Share of the machine's memory up to which a set is kept there; a larger one is streamed."""
HELD_BYTES = 2**29
"""Bytes of held-out items that are put aside unless told otherwise: scores keep them all at hand as floats."""


def accepts(what: Any) -> bool:
    """Whether this is a folder without idx files, an archive, or a Parquet file."""
    if not isinstance(what, str | Path):
        return False
    path = Path(what)
    if path.is_dir():
        return not list(path.glob("train-images*idx*"))
    return is_archive(path) or (path.is_file() and path.suffix.lower() == ".parquet")


def load(what: Any, labels: Any = None, held_out: float | None = None, size: str | None = None) -> Source:
    """Every picture there, brought to one size.

    `labels`: one for each file in the order of their names, readable or not. `size`: as `target.parse` takes it.
    Raises UserError where there are too few pictures, most cannot be read, or labels fit none.
    """
    return from_shelf(shelf_of(Path(what)), labels, held_out, size)


def shelf_of(path: Path) -> Shelf:
    """The pictures of a path that `accepts` takes."""
    if is_archive(path):
        return Archive(path)
    if path.is_file():
        return Parquet(path)
    shelf = Folder(path)
    return Parquet(path) if not shelf.names and parquet_files(path) else shelf


def from_shelf(
    shelf: Shelf,
    labels: Any = None,
    held_out: float | None = None,
    size: str | None = None,
    test: np.ndarray | None = None,
) -> Source:
    """A source of the pictures of any shelf. `test`: bool for each, whether it came as part of a test set, which then is the
    held-out part unless another share is asked for."""
    pack = packed(shelf, None if size is None else target.parse(size))
    read = tables.find(shelf) if labels is None else tables.Labels(labels, "as given")
    y, names = classes(read.values, pack.slots, shelf.origin)
    if len(names) < 2:
        y, names = None, ()
    kept = pack.rows
    y = None if y is None else y[kept]
    share = held_out if held_out is not None else share_of(len(kept), pack.nbytes * len(kept) // max(1, pack.slots))
    if test is not None and held_out is None and 0 < test[kept].sum() < len(kept):
        train, held = np.flatnonzero(~test[kept]), np.flatnonzero(test[kept])
    else:
        train, held = divide(len(kept), y, share, shelf.origin, pack.same[kept])
    source, streamed = _source(pack, shelf.origin, names, y, train, held)
    source.found = Found(
        kind=shelf.kind,
        files=pack.slots,
        skipped=tuple((shelf.names[slot], why) for slot, why in pack.skipped),
        sizes=pack.sizes,
        modes=pack.modes,
        enlarged=pack.enlarged,
        reason=pack.reason,
        labels=read.origin if names else "",
        cache=str(pack.path),
        streamed=streamed,
        notes=(*shelf.notes, *read.notes),
        names=[shelf.names[kept[row]] for part in (train, held) for row in part],
    )
    return source


def share_of(count: int, nbytes: int) -> float:
    """What is held out unless told otherwise: 20 % below 10,000 items, else 10 %, but no more than memory takes lightly."""
    share = 0.2 if count < 10_000 else 0.1
    return min(share, max(100, HELD_BYTES * count // max(1, nbytes)) / count) if count >= 1000 else share


def _source(
    pack: Pack, origin: str, names: tuple[str, ...], y: np.ndarray | None, train: np.ndarray, held: np.ndarray
) -> tuple[Source, bool]:
    height, width, channels = pack.shape
    counts = () if y is None else tuple(np.bincount(y[train], minlength=len(names)).tolist())
    spec = Spec(
        "images", (channels, height, width), counts, names, offset=(0.0,), scale=(255.0,), origin=origin, items=len(train)
    )
    labels = [None if y is None else torch.from_numpy(y[part].astype(np.int64)) for part in (train, held)]
    rows = (pack.rows[train], pack.rows[held])
    digest = sha256(repr((pack.key, spec.shape, names)).encode())
    for part in (*rows, *(label.numpy() for label in labels if label is not None)):
        digest.update(part.tobytes())
    known = digest.hexdigest()
    if pack.nbytes > IN_MEMORY * memory():
        return Streamed(spec, pack.pixels, rows, (labels[0], labels[1]), known), True
    x, held_x = (torch.from_numpy(np.ascontiguousarray(pack.pixels[part].transpose(0, 3, 1, 2))) for part in rows)
    return InMemory(spec, x, labels[0], held_x, labels[1], known=known), False


def memory() -> int:
    """Bytes of memory for this process: the machine's, shared between the processes of a training on it."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        whole = 8 * 2**30
    return whole // max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
