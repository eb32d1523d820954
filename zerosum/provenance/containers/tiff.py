"""TIFF: tag 700 of the first directory (XMP specification, part 3, section 1.1.6)."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import BinaryIO

from zerosum.provenance.containers._bytes import exactly, mark
from zerosum.provenance.notes import xmp

NAME = "TIFF"
NOTE = xmp
TAG, BYTES = 700, 1
ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def accepts(head: bytes) -> bool:
    """Whether it begins as a TIFF does, BigTIFF left out."""
    return head[:4] in ORDERS


def put(data: bytes, text: bytes) -> bytes:
    """The mark and a new first directory, which knows it, go to the end; the pixels stay where they are."""
    order, entries, following = _directory(BytesIO(data))
    data += b"\0" * (len(data) % 2)
    entries = [one for one in entries if one[0] != TAG] + [(TAG, BYTES, len(text), struct.pack(order + "I", len(data)))]
    data += text + b"\0" * (len(text) % 2)
    packed = b"".join(struct.pack(order + "HHI4s", *one) for one in sorted(entries))
    directory = struct.pack(order + "H", len(entries)) + packed + struct.pack(order + "I", following)
    return data[:4] + struct.pack(order + "I", len(data)) + data[8:] + directory


def get(file: BinaryIO) -> bytes | None:
    """The tag's text."""
    order, entries, _ = _directory(file)
    for tag, kind, count, value in entries:
        if tag == TAG and kind in (BYTES, 7) and count > 4:
            file.seek(*struct.unpack(order + "I", value))
            return mark(file, count)
    return None


def _directory(file: BinaryIO) -> tuple[str, list[tuple[int, int, int, bytes]], int]:
    """Byte order, (tag, kind, count, value or place) of the first directory, and where the next one is."""
    file.seek(0)
    order = ORDERS[exactly(file, 4)]
    file.seek(*struct.unpack(order + "I", exactly(file, 4)))
    (count,) = struct.unpack(order + "H", exactly(file, 2))
    entries = [struct.unpack(order + "HHI4s", exactly(file, 12)) for _ in range(count)]
    (following,) = struct.unpack(order + "I", exactly(file, 4))
    return order, entries, following
