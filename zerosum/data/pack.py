"""Picture files, decoded once into one file of bytes that can be mapped into memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data import cache, target
from zerosum.data.decoder import Fact, Load, Shape, examine
from zerosum.data.decoders import decode
from zerosum.data.shelf import SUFFIXES, Shelf
from zerosum.data.uncollected import uncollected
from zerosum.errors import UserError

VERSION = 2
"""Part of every key: raised when the same files would be packed otherwise."""
PROBES = 48
LEAST = 10
KINDS = " ".join(SUFFIXES)


@dataclass(frozen=True)
class Pack:
    """A packed set. `slots` counts all files, readable or not; `rows` are the readable ones' slots."""

    path: Path
    key: str
    slots: int
    shape: tuple[int, int, int]  # height, width, channels
    sizes: dict[target.Size, int]  # as stored
    modes: dict[str, int]  # as stored
    skipped: tuple[tuple[int, str], ...]  # slot and why
    enlarged: int  # pictures that had fewer pixels than the shape
    reason: str  # why this size
    shift: int

    @cached_property
    def pixels(self) -> np.ndarray:
        """uint8 [slots, height, width, channels], mapped; what is not looked at takes no memory."""
        return np.memmap(self.path / "pixels.u8", np.uint8, "r", shape=(self.slots, *self.shape))

    @cached_property
    def rows(self) -> np.ndarray:
        """Slots that hold a picture, int64, rising."""
        return np.setdiff1d(np.arange(self.slots), [slot for slot, _ in self.skipped])

    @cached_property
    def same(self) -> np.ndarray:
        """For each slot the first slot whose bytes are equal, int64 [slots]."""
        return np.load(self.path / "same.npy", allow_pickle=False)

    @cached_property
    def sides(self) -> np.ndarray:
        """Height and width of each file's picture as stored, int64 [slots, 2]; 0 where it cannot be read."""
        return np.load(self.path / "sides.npy", allow_pickle=False)

    @property
    def nbytes(self) -> int:
        """Bytes of all items."""
        return self.slots * self.shape[0] * self.shape[1] * self.shape[2]


@uncollected()
def packed(shelf: Shelf, asked: target.Size | None) -> Pack:
    """The shelf's pictures at one size, from the cache where they were packed before.

    Raises UserError where fewer than ten pictures, or fewer than half, can be read, or the cache cannot be written.
    """
    if len(shelf.names) < LEAST:
        said = f"{shelf.origin}: {len(shelf.names)} images: a GAN needs at least 10, and wants thousands ({KINDS})"
        raise UserError(f"{said}; {', '.join(shelf.others[:3])} may be what you mean" if shelf.others else said)
    stamp = _hash([str(VERSION), str(asked), str(Path(shelf.origin).resolve()), shelf.kind, *shelf.names])
    if found := _known(stamp, shelf):
        return found
    with cache.alone(stamp):
        if found := _known(stamp, shelf):  # another process was at it
            return found
        made, facts = _make(shelf, asked)
        marks = [fact.mark or shelf.marks[fact.slot] for fact in facts]
        cache.note(stamp, _hash(marks), made.key)
        return made


def _hash(lines: list[str]) -> str:
    return blake2b("\n".join(lines).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _known(stamp: str, shelf: Shelf) -> Pack | None:
    """The pack of a shelf that was packed before and has stood as it was; files are looked at only where there may be one."""
    if (noted := cache.noted(stamp)) is None or (found := _opened(noted[1], len(shelf.names))) is None:
        return None
    return found if _hash(shelf.marks) == noted[0] else None


def _opened(key: str, slots: int) -> Pack | None:
    """The pack of a key; None where there is none that is whole."""
    path = cache.place(key)
    try:
        said = json.loads((path / "meta.json").read_text())
        found = Pack(
            path,
            key,
            said["slots"],
            tuple(said["shape"]),
            {(h, w): n for h, w, n in said["sizes"]},
            said["modes"],
            tuple((slot, why) for slot, why in said["skipped"]),
            said["enlarged"],
            said["reason"],
            said["shift"],
        )
        whole = (path / "pixels.u8").stat().st_size == found.nbytes and len(found.same) == found.slots == slots
        whole = whole and found.sides.shape == (slots, 2)
        return found if whole else None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _make(shelf: Shelf, asked: target.Size | None) -> tuple[Pack, list[Fact]]:
    """The pack, new or found under its contents' key, and what was read for it."""
    everything = list(range(len(shelf.names)))
    shape = _guess(shelf, asked)
    with cache.scratch() as folder:
        while True:  # a guess that was wrong is put right by what the pass saw
            facts = _passed(shelf, everything, shape, folder / "pixels.u8")
            needed, reason = _needed(shelf, facts, asked)
            if shape == needed:
                break
            shape = needed
        contents = blake2b(repr((VERSION, tuple(shape), reason)).encode(), digest_size=16)
        for fact in facts:
            contents.update(fact.content + bool(fact.why).to_bytes())
        key = contents.hexdigest()
        _describe(folder, facts, shape, reason)
        with cache.alone(key):  # the same pictures may be packed from another folder at this moment
            if found := _opened(key, len(facts)):
                return found, facts
            cache.drop(key)
            cache.keep(folder, key)
            found = _opened(key, len(facts))
    if found is None:
        raise UserError(f"the cache in {cache.home()} lost what was just written: set ZEROSUM_CACHE to another folder")
    return found, facts


def _guess(shelf: Shelf, asked: target.Size | None) -> Shape | None:
    """The shape that a few files of the set suggest; None where they do not agree."""
    facts = look(shelf)
    if not facts:
        return None
    sizes = {(fact.height, fact.width) for fact in facts}
    if asked is None and len(sizes) > 1:
        return None
    return _shape(facts, asked or sizes.pop())


def look(shelf: Shelf) -> list[Fact]:
    """What a few files of the set hold: those of them that can be read."""
    count = len(shelf.names)
    if not count:
        return []
    few = sorted({int(i) for i in np.linspace(0, count - 1, PROBES)}) if shelf.anywhere else list(range(count))
    looked = [examine(slot, load, None)[0] for slot, load in islice(_read(shelf, few), PROBES)]
    return [fact for fact in looked if not fact.why]


def _shape(facts: list[Fact], size: target.Size) -> Shape:
    """The richest of grey, RGB and RGBA that occurs; where there are other numbers of channels, the commonest."""
    kinds = Counter(fact.channels for fact in facts)
    channels = max(kinds) if set(kinds) <= {1, 3, 4} else kinds.most_common(1)[0][0]
    return Shape(*size, channels, max(fact.bits for fact in facts) - 8)


def _passed(shelf: Shelf, slots: list[int], shape: Shape | None, out: Path) -> list[Fact]:
    facts: list[Fact | None] = [None] * len(slots)
    with cache.writing():
        with out.open("wb") as file:
            file.truncate(len(slots) * shape.height * shape.width * shape.channels if shape else 0)
        for part in decode(_read(shelf, slots), len(slots), shape, str(out)):
            for fact in part:
                facts[fact.slot] = fact
    return [fact or Fact(slot, b"", why="missing from the archive") for slot, fact in enumerate(facts)]


def _read(shelf: Shelf, slots: list[int]) -> Iterator[tuple[int, Load]]:
    """A shelf's files. Raises UserError where it breaks off: damaged in its middle, or gone while it is read."""
    try:
        yield from shelf.loads(slots)
    except Exception as error:  # a damaged file ends in anything
        why = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{shelf.origin}: cannot be read to its end ({why}): it is damaged or gone; get it anew") from error


def _needed(shelf: Shelf, facts: list[Fact], asked: target.Size | None) -> tuple[Shape, str]:
    """The shape that all readable files together ask for. Raises UserError where too few can be read."""
    good = [fact for fact in facts if not fact.why]
    bad = [fact for fact in facts if fact.why]
    if len(good) < LEAST or len(bad) > len(good):
        first = f"{shelf.names[bad[0].slot]} ({bad[0].why})" if bad else ""
        raise UserError(
            f"{shelf.origin}: {len(bad)} of {len(facts)} images cannot be read, such as {first}: "
            "put them right, or point to other data"
        )
    size, reason = target.choose(Counter((fact.height, fact.width) for fact in good), asked)
    return _shape(good, size), reason


def _describe(folder: Path, facts: list[Fact], shape: Shape, reason: str) -> None:
    good = [fact for fact in facts if not fact.why]
    first: dict[bytes, int] = {}
    same = [first.setdefault(fact.pixels or fact.slot.to_bytes(8), fact.slot) for fact in facts]
    sizes = Counter((fact.height, fact.width) for fact in good).most_common()
    said: dict[str, Any] = {
        "version": VERSION,
        "slots": len(facts),
        "shape": list(shape[:3]),
        "sizes": [[height, width, count] for (height, width), count in sizes],
        "modes": dict(Counter(fact.mode for fact in good).most_common()),
        "skipped": [[fact.slot, fact.why] for fact in facts if fact.why],
        "enlarged": sum(fact.height < shape.height or fact.width < shape.width for fact in good),
        "reason": reason,
        "shift": shape.shift,
    }
    with cache.writing():
        np.save(folder / "same.npy", np.array(same, np.int64))
        np.save(folder / "sides.npy", np.array([(fact.height, fact.width) for fact in facts], np.int64))
        (folder / "meta.json").write_text(json.dumps(said))
