"""Where picture files lie: a folder, or what reads like one (archives.py, parquet.py, encoded.py)."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from zerosum.data.decoder import Load, mark
from zerosum.data.uncollected import uncollected
from zerosum.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".npy")
TABLES = (".csv", ".tsv", ".json", ".jsonl")
OTHERS = (".npz", ".zip", ".tar", ".gz", ".tgz", ".parquet")


class Shelf(ABC):
    """Named picture files in a settled order.

    `names`: with / between folders, relative to the shelf. `tables`: names of what could hold labels.
    """

    origin: str
    kind: str
    anywhere = True  # whether any file is as soon at hand as the next
    names: list[str]
    tables: list[str]
    notes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()  # paths of other kinds of data that lie there

    @property
    @abstractmethod
    def marks(self) -> list[str]:
        """A few characters for each of `names` that change when its file is written anew, so that nobody need read it to see
        that it was not. Those of many files take a while: who decodes the files has them from there (`Fact.mark`)."""

    @abstractmethod
    def loads(self, slots: list[int]) -> Iterator[tuple[int, Load]]:
        """(slot, its file) for rising slots, numbers of `names`; a file that cannot be read comes empty."""

    @abstractmethod
    def table(self, name: str) -> bytes:
        """The bytes of one of `tables`."""

    def labels(self) -> tuple[list[str] | None, str]:
        """A label for each name, where the shelf itself knows them, and where from."""
        return None, ""


def mark_of(path: str | Path) -> str:
    """A file's mark, without reading it."""
    try:
        return mark(os.stat(path))
    except OSError:
        return "gone"


def wanted(name: str) -> bool:
    """Whether a relative name is of a picture, and neither hidden nor what systems leave behind."""
    parts = name.split("/")
    return parts[-1].lower().endswith(SUFFIXES) and visible(parts)


def visible(parts: list[str]) -> bool:
    """Whether no part of a path is hidden, or some system's own, or leads out of where it lies."""
    return not any((part.startswith(".") and part != ".") or part == "__MACOSX" for part in parts)


def in_order(name: str) -> list[str]:
    """The key names are sorted by: folder by folder."""
    return name.split("/")


class Folder(Shelf):
    """A folder and what is below it. Links are followed, once each."""

    kind = "folder"

    @uncollected()
    def __init__(self, path: Path) -> None:
        self.origin, self._path = str(path), str(path)
        found: list[str] = []
        self.tables = []
        seen: set[tuple[int, int]] = set()

        def walk(folder: str, stem: str) -> None:
            try:
                status = os.stat(folder)
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                raise UserError(f"{folder}: cannot be read ({error.strerror}): check its permissions") from error
            if (status.st_dev, status.st_ino) in seen:
                return
            seen.add((status.st_dev, status.st_ino))
            for entry in entries:
                name = stem + entry.name
                if entry.name.startswith("."):
                    continue
                try:
                    if entry.is_dir():
                        walk(entry.path, name + "/")
                    elif entry.name.lower().endswith(SUFFIXES):
                        found.append(name)
                    elif entry.name.lower().endswith(TABLES) and entry.is_file():
                        self.tables.append(name)
                    elif entry.name.lower().endswith(OTHERS):
                        self.others = (*self.others[:2], entry.path)
                except OSError:  # what cannot be looked at is no picture, but its name may say that it was meant to be one
                    found.append(name)

        walk(self._path, "")  # which is the order of `in_order`
        if any(not name.lower().endswith(".npy") for name in found):  # arrays beside pictures are something else
            found = [name for name in found if not name.lower().endswith(".npy")]
        self.names = found
        self._stem = self._path.rstrip("/") + "/"  # which every system takes between folders

    @cached_property
    def marks(self) -> list[str]:
        return [mark_of(self._stem + name) for name in self.names]

    def loads(self, slots: list[int]) -> Iterator[tuple[int, Load]]:
        for slot in slots:
            yield slot, self._stem + self.names[slot]

    def table(self, name: str) -> bytes:
        return Path(self._path, *name.split("/")).read_bytes()
