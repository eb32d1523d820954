"""JPEG: an APP1 segment (XMP specification, part 3, section 1.1.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from zerosum.provenance.containers._bytes import PARTS, exactly
from zerosum.provenance.notes import xmp

NAME = "JPEG"
NOTE = xmp
KEY = b"http://ns.adobe.com/xap/1.0/\0"


def accepts(head: bytes) -> bool:
    """Whether it begins as a JPEG does."""
    return head.startswith(b"\xff\xd8\xff")


def put(data: bytes, text: bytes) -> bytes:
    """The mark goes behind JFIF's and EXIF's segments, which some readers want first."""
    if len(text) + len(KEY) + 2 > 0xFFFF:
        raise ValueError("a mark beyond 64 KiB does not fit into a JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(text) + len(KEY) + 2) + KEY + text
    pieces, first, end = [data[:2]], 1, 2
    for kind, start, length in _segments(BytesIO(data)):
        end = start + length
        if kind != 0xE1 or not data.startswith(KEY, start):
            early = kind == 0xE0 or (kind == 0xE1 and data[start : start + 4] == b"Exif")
            first += early and first == len(pieces)
            pieces.append(data[start - 4 : end])
    return b"".join([*pieces[:first], segment, *pieces[first:], data[end:]])


def get(file: BinaryIO) -> bytes | None:
    """The text of that segment."""
    for kind, start, length in _segments(file):
        if kind == 0xE1 and length > len(KEY):
            file.seek(start)
            if exactly(file, len(KEY)) == KEY:
                return exactly(file, length - len(KEY))
    return None


def _segments(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """(marker, where its body starts, how long that is), up to the pixels."""
    at = 2
    for _ in range(PARTS):
        file.seek(at)
        lead, kind = exactly(file, 2)
        if lead != 0xFF:
            raise ValueError("damaged: a segment does not begin where it should")
        if kind in (0xDA, 0xD9):
            return
        if kind == 0xFF:  # filling
            at += 1
            continue
        (length,) = struct.unpack(">H", exactly(file, 2))
        if length < 2:
            raise ValueError("damaged: a segment shorter than its head")
        yield kind, at + 4, length - 2
        at += 2 + length
    raise ValueError("of too many segments: not read")
