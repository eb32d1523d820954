"""Shelves made of others: some of their files, halves of their pictures, files named one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from zerosum.data.decoder import Load
from zerosum.data.shelf import Shelf, mark_of


class Part(Shelf):
    """Some of a shelf's files, in an order of its own. It has no labels."""

    def __init__(self, whole: Shelf, slots: Sequence[int], kind: str) -> None:
        self._whole, self._slots = whole, list(slots)
        self.origin, self.kind, self.anywhere, self.tables = whole.origin, f"{kind} in a {whole.kind}", whole.anywhere, []
        self.names = [whole.names[slot] for slot in slots]

    @cached_property
    def marks(self) -> list[str]:
        marks = self._whole.marks
        return [marks[slot] for slot in self._slots]

    def loads(self, slots: list[int]) -> Iterator[tuple[int, Load]]:
        own = {self._slots[slot]: slot for slot in slots}
        for slot, load in self._whole.loads(sorted(own)):
            yield own[slot], load

    def table(self, name: str) -> bytes:
        raise KeyError(name)


class Half(Shelf):
    """The left (1) or right (2) halves of a shelf's pictures, under their names."""

    def __init__(self, whole: Shelf, half: int) -> None:
        self._whole, self._half = whole, half
        self.origin, self.anywhere, self.tables = whole.origin, whole.anywhere, []
        self.kind = f"{'left' if half == 1 else 'right'} halves in a {whole.kind}"
        self.names = whole.names

    @cached_property
    def marks(self) -> list[str]:
        return self._whole.marks

    def loads(self, slots: list[int]) -> Iterator[tuple[int, Load]]:
        for slot, load in self._whole.loads(slots):
            yield slot, (load[0] if isinstance(load, tuple) else load, self._half)

    def table(self, name: str) -> bytes:
        raise KeyError(name)


class Listed(Shelf):
    """Files by their paths, which are taken from a folder on where they are relative."""

    def __init__(self, origin: str, folder: Path, names: Sequence[str], kind: str) -> None:
        self.origin, self.kind, self.names, self.tables = origin, kind, list(names), []
        self._paths = [folder / name.replace("\\", "/") for name in names]

    @cached_property
    def marks(self) -> list[str]:
        return [mark_of(path) for path in self._paths]

    def loads(self, slots: list[int]) -> Iterator[tuple[int, Load]]:
        for slot in slots:
            yield slot, str(self._paths[slot])

    def table(self, name: str) -> bytes:
        raise KeyError(name)
