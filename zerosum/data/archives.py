"""Pictures in a .zip or .tar (.gz, .bz2, .xz): read where they lie. Nothing is unpacked, so no path can lead astray."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from zerosum.data.decoder import Load, mark
from zerosum.data.shelf import TABLES, Shelf, in_order, visible, wanted
from zerosum.errors import UserError

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
LARGEST = 2**30
"""Bytes that one file of an archive may unpack to; more is a bomb, not a picture."""


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive."""
    return path.name.lower().endswith(ENDINGS) and path.is_file()


class Archive(Shelf):
    """An archive's pictures. A tar is read from its beginning to its end each time, a zip where each file lies."""

    def __init__(self, path: Path) -> None:
        self.origin, self._path = str(path), path
        self._zip = path.name.lower().endswith(".zip")
        self.kind, self.anywhere = ("zip" if self._zip else "tar"), self._zip
        self._mark = mark(path.stat())
        try:
            sizes = self._listed()
        except Exception as error:  # a damaged archive ends in anything
            why = " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"{path}: cannot be read as an archive ({why}): it is damaged; get it anew") from error
        listed = sorted(sizes, key=in_order)
        self.names = [name for name in listed if wanted(name)]
        self.tables = [name for name in listed if name.lower().endswith(TABLES) and visible(name.split("/"))]

    @property
    def marks(self) -> list[str]:
        return [self._mark] * len(self.names)

    def _listed(self) -> dict[str, int]:
        if self._zip:
            with zipfile.ZipFile(self._path) as archive:
                return {info.filename: info.file_size for info in archive.infolist() if not info.is_dir()}
        with tarfile.open(self._path, "r|*") as tar:
            return {member.name.removeprefix("./"): member.size for member in tar if member.isfile()}

    def loads(self, slots: list[int]) -> Iterator[tuple[int, Load]]:
        numbers = {self.names[slot]: slot for slot in slots}
        yield from ((numbers[name], data) for name, data in self._read(set(numbers)))

    def table(self, name: str) -> bytes:
        return next((data for found, data in self._read({name}) if found == name), b"")

    def _read(self, names: set[str]) -> Iterator[tuple[str, bytes]]:
        if self._zip:
            with zipfile.ZipFile(self._path) as archive:
                for name in sorted(names, key=in_order):
                    try:
                        with archive.open(name) as member:
                            yield name, _bounded(member.read(LARGEST + 1))
                    except Exception:  # a bad checksum, a password, a coding unknown here: the file comes empty
                        yield name, b""
            return
        left = set(names)
        try:
            with tarfile.open(self._path, "r|*") as tar:
                for entry in tar:
                    name = entry.name.removeprefix("./")
                    if name in left and entry.isfile():
                        file = tar.extractfile(entry)
                        left.discard(name)
                        yield name, _bounded(file.read(LARGEST + 1)) if file else b""
        except (tarfile.TarError, OSError, EOFError, ValueError):  # cut short while it is read
            pass
        yield from ((name, b"") for name in sorted(left, key=in_order))


def _bounded(data: bytes) -> bytes:
    return data if len(data) <= LARGEST else b""
