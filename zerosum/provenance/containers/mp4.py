"""MP4: a "uuid" box at the file's end (XMP specification, part 3, section 1.2.7). Nothing before it moves."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from zerosum.provenance.containers._bytes import PARTS, exactly, mark, size
from zerosum.provenance.notes import xmp

NAME = "MP4"
NOTE = xmp
UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def accepts(head: bytes) -> bool:
    """Whether it begins as an MP4 does."""
    return head[4:8] == b"ftyp"


def put(data: bytes, text: bytes) -> bytes:
    """The mark is the last box. Raises ValueError where it would have to go before others: their places are counted."""
    end = len(data)
    for kind, start, stop in _boxes(BytesIO(data)):
        if kind == b"uuid" and data.startswith(UUID, start):
            if stop != len(data):
                raise ValueError("it holds a mark that cannot be taken out")
            end = start - 8
    return data[:end] + struct.pack(">I4s", 24 + len(text), b"uuid") + UUID + text


def get(file: BinaryIO) -> bytes | None:
    """The box's text."""
    for kind, start, stop in _boxes(file):
        if kind == b"uuid" and stop - start > len(UUID):
            file.seek(start)
            if exactly(file, len(UUID)) == UUID:
                return mark(file, stop - start - len(UUID))
    return None


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """(kind, where its body starts, where it ends) of the boxes that are in no other."""
    at, end = 0, size(file)
    for _ in range(PARTS):
        if at == end:
            return
        file.seek(at)
        length, kind = struct.unpack(">I4s", exactly(file, 8))
        head = 8
        if length == 1:
            (length,), head = struct.unpack(">Q", exactly(file, 8)), 16
        stop = end if length == 0 else at + length
        if stop > end:
            raise EOFError("cut short")
        if stop < at + head:
            raise ValueError("damaged: a box shorter than its head")
        yield kind, at + head, stop
        at = stop
    raise ValueError("of too many boxes: not read")
