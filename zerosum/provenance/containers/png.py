"""PNG: an iTXt chunk with the keyword XML:com.adobe.xmp (XMP specification, part 3, section 1.1.5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from zerosum.provenance.containers._bytes import MOST, PARTS, exactly, mark, size
from zerosum.provenance.notes import xmp

NAME = "PNG"
NOTE = xmp
MAGIC = b"\x89PNG\r\n\x1a\n"
KEY = b"XML:com.adobe.xmp\0"


def accepts(head: bytes) -> bool:
    """Whether it begins as a PNG does."""
    return head.startswith(MAGIC)


def put(data: bytes, text: bytes) -> bytes:
    """The mark goes behind the header, before the pixels."""
    parts = [MAGIC]
    for kind, start, length in _chunks(BytesIO(data)):
        if not (kind == b"iTXt" and data.startswith(KEY, start)):
            parts.append(data[start - 8 : start + length + 4])
        if kind == b"IHDR":
            body = b"iTXt" + KEY + b"\0\0\0\0" + text  # not compressed, no language, no translated keyword
            parts.append(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
    return b"".join(parts)


def get(file: BinaryIO) -> bytes | None:
    """The text of that chunk."""
    for kind, start, length in _chunks(file):
        if kind == b"iTXt" and length > len(KEY) + 4:
            file.seek(start)
            if exactly(file, len(KEY)) == KEY:
                return _text(mark(file, length - len(KEY)))
    return None


def _text(body: bytes) -> bytes:
    packed, (_, _, text) = body[0], body[2:].split(b"\0", 2)
    if not packed:
        return text
    try:
        opened = zlib.decompressobj().decompress(text, MOST + 1)
    except zlib.error as error:
        raise ValueError(f"its mark cannot be unpacked: {error}") from error
    if len(opened) > MOST:
        raise ValueError(f"its mark unpacks to more than {MOST:,} bytes: not read")
    return opened


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """(kind, where its body starts, how long that is), up to IEND."""
    end, at = size(file), len(MAGIC)
    for _ in range(PARTS):
        file.seek(at)
        length, kind = struct.unpack(">I4s", exactly(file, 8))
        if at + length + 12 > end:
            raise EOFError("cut short")
        yield kind, at + 8, length
        if kind == b"IEND":
            return
        at += length + 12
    raise ValueError("of too many chunks: not read")
