"""Reading whole pieces of a file, never more than a bound."""

from __future__ import annotations

from typing import BinaryIO

MOST = 2**20
"""Bytes of a mark. A longer one is refused: an attacker wrote it."""
PARTS = 1_000_000
"""Chunks, boxes or blocks of a file that are looked at."""


def exactly(file: BinaryIO, count: int) -> bytes:
    """So many bytes. Raises EOFError where the file ends before."""
    data = file.read(count)
    if len(data) < count:
        raise EOFError("cut short")
    return data


def mark(file: BinaryIO, count: int) -> bytes:
    """A mark of so many bytes. Raises ValueError where it is too long to be one."""
    if count > MOST:
        raise ValueError(f"its mark has {count:,} bytes, more than {MOST:,}: not read")
    return exactly(file, count)


def size(file: BinaryIO) -> int:
    """Of the file; the place stays where it is."""
    here = file.tell()
    end = file.seek(0, 2)
    file.seek(here)
    return end
