"""Before training: what the data are, what is wrong with them, and what will be done, as a record and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data.found import Found
from zerosum.data.likeness import glances, joined, near
from zerosum.data.source import Rows, Source
from zerosum.data.target import words as size_words

FEW = 500
"""Images below which a GAN needs augmentation to learn anything but them."""
MOST = 200_000
"""Items up to which likeness is searched; of more, this many training items are, and all held-out ones."""


@dataclass(frozen=True)
class Preflight:
    """The report. Counts are of items unless they say otherwise; names are files' where there are files."""

    origin: str
    kind: str
    shape: tuple[int, ...]
    training: int  # 0: without end
    held_out: int
    files: int = 0
    skipped: int = 0
    skipped_first: tuple[tuple[str, str], ...] = ()  # (file, why), the first 20
    sizes: tuple[tuple[str, int], ...] = ()  # commonest first, the first 20
    kinds_of_size: int = 0
    modes: tuple[tuple[str, int], ...] = ()
    brought: str = ""  # to which size, how and why; empty where nothing is resized
    enlarged: int = 0
    labels: str = ""
    classes: tuple[tuple[str, int], ...] = ()  # commonest first, training items of each
    equal: int = 0  # items that repeat another exactly
    nearly: int = 0  # items that repeat another nearly
    examples: tuple[tuple[str, str], ...] = ()  # pairs that look alike, the first 5
    leaked: int = 0  # held-out items with an exact twin in training
    leaked_nearly: int = 0
    searched: int = 0  # items among which likeness was searched
    cache: str = ""
    streamed: bool = False
    notes: tuple[str, ...] = ()
    given: tuple[tuple[str, tuple[int, ...]], ...] = ()  # images to start from: name and (channels, height, width)
    made: str = ""  # what is to be made of them
    matched: bool = True  # whether each item has images of its own to start from
    alone: int = 0  # files without a partner
    alone_first: tuple[str, ...] = ()  # the first 20
    cut: str = ""  # how items are cut from pictures
    pieces: int = 0  # training items that lie beside each other in pictures

    def to_json(self) -> dict[str, Any]:
        """Plain values, for config.json."""
        return asdict(self)


@dataclass(frozen=True)
class _Likeness:
    equal: int = 0
    nearly: int = 0
    leaked: int = 0
    leaked_nearly: int = 0
    searched: int = 0
    pairs: list[tuple[int, int]] = field(default_factory=list)


def inspect(source: Source) -> Preflight:
    """Look a source over. It reads every item once, as far as there is an end of them."""
    spec, found = source.spec, source.found or Found()
    stored = source.stored()
    images = spec.kind == "images" and stored is not None
    like = _likeness(*stored) if images and stored is not None else _Likeness()
    classes = sorted(zip(spec.names, spec.counts, strict=True), key=lambda pair: -pair[1]) if spec.classes else []
    sizes = sorted(found.sizes.items(), key=lambda pair: -pair[1])
    brought = ""
    if images and not found.cut and any(size != spec.shape[1:] for size in found.sizes):
        brought = f"{size_words((spec.shape[1], spec.shape[2]))}, {found.reason}"
    return Preflight(
        spec.origin,
        found.kind,
        spec.shape,
        spec.items,
        stored[1].count if stored is not None else 0,
        found.files,
        len(found.skipped),
        found.skipped[:20],
        tuple((size_words(size), count) for size, count in sizes[:20]),
        len(sizes),
        tuple(found.modes.items()),
        brought,
        found.enlarged,
        found.labels,
        tuple(classes),
        like.equal,
        like.nearly,
        tuple((_name(found.names, a), _name(found.names, b)) for a, b in like.pairs[:5]),
        like.leaked,
        like.leaked_nearly,
        like.searched,
        found.cache,
        found.streamed,
        found.notes,
        tuple((name, tuple(shape)) for name, shape in spec.given.items()),
        spec.made,
        spec.matched,
        len(found.alone),
        found.alone[:20],
        found.cut,
        found.pieces,
    )


def _name(names: Sequence[str], row: int) -> str:
    return names[row] if row < len(names) else f"item {row}"


def _likeness(train: Rows, held: Rows) -> _Likeness:
    """Search training items (or the first of them) and held-out ones for equal and nearly equal ones."""
    count = min(train.count, MOST)
    total = count + held.count

    def take(rows: np.ndarray) -> np.ndarray:
        first, second = rows[rows < count], rows[rows >= count] - count
        parts = [part.take(at) for part, at in ((train, first), (held, second)) if len(at)]
        return np.concatenate(parts)

    seen = glances(total, take)
    pairs = near(seen)
    same = (seen.contents[pairs[0]] == seen.contents[pairs[1]]).all(1) if pairs.size else np.zeros(0, bool)
    _, first, group = np.unique(seen.contents, axis=0, return_index=True, return_inverse=True)
    twin = first[group.reshape(-1)]
    alike = joined(total, np.stack([np.arange(total), twin]), pairs)
    side = np.arange(total) >= count
    different = pairs[:, ~same]
    equal = total - len(first)
    return _Likeness(
        equal,
        total - len(np.unique(alike)) - equal,
        _crossing(twin, side),
        _crossing(alike, side) - _crossing(twin, side),
        total,
        [(int(a), int(b)) for a, b in different.T[:5]] or [(int(t), i) for i, t in enumerate(twin) if t != i][:5],
    )


def _crossing(groups: np.ndarray, held: np.ndarray) -> int:
    """Held-out items whose group has a training item too."""
    return int(np.isin(groups[held], groups[~held]).sum())


def lines(report: Preflight, whole: bool = False) -> list[str]:
    """The report in words, a line each: what is, then what to mind. `whole` leaves nothing out."""
    if report.kind == "table":
        rows = report.training + report.held_out
        return [
            f"data      {report.origin}: {rows:,} rows; {report.shape[0]:,} numbers a row in model space",
            f"held out  {report.held_out:,}; {report.training:,} to train on",
            *report.notes,
        ]
    noun = "images" if len(report.shape) == 3 else "items"
    called = "photographs" if report.cut else "pairs" if report.given and report.matched else noun
    shape = f"{report.shape[0]} x {report.shape[1]} x {report.shape[2]} (channels, height, width)" if noun == "images" else ""
    shape = shape or f"{report.shape[0]} numbers"
    shape = f"{report.shape[0]} channels" if report.cut else shape
    if not report.training:
        return [f"data      {report.origin}: {shape}, fresh for every batch"]
    said = [
        f"data      {report.origin} ({report.kind}): {report.training + report.held_out:,} {called} of {shape}",
        f"held out  {report.held_out:,}; {report.training:,} to train on",
    ]
    if noun != "images":
        return said + _classes(report, whole)
    said += _pairs(report)
    if report.modes:
        said.append("stored    " + ", ".join(f"{count:,} {mode}" for mode, count in report.modes))
    labels = [] if report.given or report.cut else _classes(report, whole)
    said += _sizes(report, whole) + labels + _twins(report, whole)
    if report.cache:
        how = "streamed from disk" if report.streamed else "in memory"
        said.append(f"cache     {home(report.cache)} ({how}; safe to remove)")
    said += [f"note      {note}" for note in report.notes]
    if len(report.shape) == 3 and report.shape[2] == 2 * report.shape[1] and not report.given:
        said.append("note      twice as wide as high: pairs side by side? Then take --recipe pix2pix (or cyclegan)")
    return said + _worries(report, whole)


def _pairs(report: Preflight) -> list[str]:
    """What is made of what, or cut from what."""
    if report.cut:
        return [f"crops     {report.cut}"]
    if not report.given:
        return []
    shown = " + ".join(f"{printable(name)} ({' x '.join(map(str, shape))})" for name, shape in report.given)
    how = "matched one by one" if report.matched else "not matched: each is drawn by itself"
    return [f"pairs     {shown} -> {printable(report.made)} ({' x '.join(map(str, report.shape))}), {how}"]


def _sizes(report: Preflight, whole: bool) -> list[str]:
    if not report.sizes:
        return []
    shown = report.sizes if whole else report.sizes[:3]
    listed = ", ".join(f"{size} ({count:,})" for size, count in shown)
    more = f" and {report.kinds_of_size - len(shown):,} other sizes" if report.kinds_of_size > len(shown) else ""
    said = [f"sizes     {listed}{more}" if report.kinds_of_size > 1 else f"sizes     all {report.sizes[0][0]} (height x width)"]
    if report.brought:
        said.append(f"resized   to {report.brought}; --size chooses another")
        enlarged = f"; {report.enlarged:,} enlarged, being smaller" if report.enlarged else ""
        said.append(f"          scaled to cover it (Lanczos, antialiased), then cut to the middle, never stretched{enlarged}")
    return said


def _classes(report: Preflight, whole: bool) -> list[str]:
    if not report.classes:
        return ["labels    none found"]
    shown = report.classes if whole else report.classes[:6]
    listed = ", ".join(f"{name}: {count:,}" for name, count in shown) + (" ..." if len(report.classes) > len(shown) else "")
    source = f" from {report.labels}" if report.labels else ""
    return [f"labels    {len(report.classes)} classes{source}: {listed}"]


def _twins(report: Preflight, whole: bool) -> list[str]:
    among = f" among {report.searched:,}" if report.searched < report.training + report.held_out else ""
    if not report.equal and not report.nearly:
        return [f"twins     none, exact or near{among}"]
    pairs = [f"{printable(a)} and {printable(b)}" for a, b in report.examples[: 5 if whole else 1]]
    said = f"twins     {report.equal:,} exact and {report.nearly:,} near duplicates of other images{among}"
    return [f"{said}, such as {'; '.join(pairs)}"]


def _worries(report: Preflight, whole: bool) -> list[str]:
    said = []
    if report.skipped:
        shown = report.skipped_first if whole else report.skipped_first[:3]
        listed = "; ".join(f"{printable(name)} ({why})" for name, why in shown)
        more = f"; and {report.skipped - len(shown):,} more" if report.skipped > len(shown) else ""
        said.append(f"warning   {report.skipped:,} of {report.files:,} files cannot be read and were left out: {listed}{more}")
    if report.alone:
        lonely = report.alone_first if whole else report.alone_first[:3]
        more = f" and {report.alone - len(lonely):,} more" if report.alone > len(lonely) else ""
        listed = ", ".join(map(printable, lonely))
        said.append(f"warning   {report.alone:,} files have no partner and were left out: {listed}{more}")
    if max(report.training, report.pieces) < FEW:
        noun = "pairs" if report.given and report.matched else "images"
        said.append(f"warning   {report.training:,} {noun} are few to train on: a GAN may learn them by heart")
    if report.classes and report.classes[-1][1] * 10 < report.classes[0][1]:
        (most, many), (least, few) = report.classes[0], report.classes[-1]
        said.append(f"warning   unbalanced classes: {most} has {many:,}, {least} has {few:,}")
    if report.leaked or report.leaked_nearly:
        both = f"{report.leaked:,} have an exact and {report.leaked_nearly:,} a near twin in training"
        said.append(f"warning   of {report.held_out:,} held-out images {both}: scores cannot tell copies of these")
    elif report.equal and report.held_out:
        said.append("note      exact duplicates were put on one side of the split")
    return said


def printable(name: str) -> str:
    """A file's name with whatever cannot be shown written as escapes."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def home(path: str) -> str:
    """A path with ~ for the home folder."""
    return path.replace(str(Path.home()), "~", 1) if path.startswith(str(Path.home())) else path
