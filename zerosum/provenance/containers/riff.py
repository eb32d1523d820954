"""RIFF: WebP ("XMP " chunk, WebP container specification) and WAV ("_PMX" chunk, XMP specification, part 3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from zerosum.provenance.containers._bytes import PARTS, exactly, mark, size
from zerosum.provenance.notes import xmp

NAME = "WebP or WAV"
NOTE = xmp
KEYS = {b"WEBP": b"XMP ", b"WAVE": b"_PMX"}
HAS_XMP, HAS_ALPHA = 0x04, 0x10


def accepts(head: bytes) -> bool:
    """Whether it begins as a WebP or a WAV does."""
    return head.startswith(b"RIFF") and head[8:12] in KEYS


def put(data: bytes, text: bytes) -> bytes:
    """The mark is the last chunk; a simple WebP gets the extended header that says so."""
    form = data[8:12]
    chunks = [(kind, data[start : start + length]) for kind, start, length in _chunks(BytesIO(data)) if kind != KEYS[form]]
    if form == b"WEBP":
        chunks = _extended(chunks)
    body = form + b"".join(_chunk(*one) for one in [*chunks, (KEYS[form], text)])
    return b"RIFF" + struct.pack("<I", len(body)) + body


def get(file: BinaryIO) -> bytes | None:
    """The text of that chunk."""
    file.seek(8)
    key = KEYS[exactly(file, 4)]
    for kind, start, length in _chunks(file):
        if kind == key:
            file.seek(start)
            return mark(file, length)
    return None


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _extended(chunks: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """With a VP8X header that tells of XMP: flags, and the canvas' sides less one in 24 bits each."""
    kind, body = chunks[0]
    if kind == b"VP8X":
        return [(kind, bytes([body[0] | HAS_XMP]) + body[1:]), *chunks[1:]]
    if kind == b"VP8L":  # lossless: 14 bits a side, less one, then whether there is alpha
        bits = int.from_bytes(body[1:5], "little")
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bool(bits >> 28 & 1)
    elif kind == b"VP8 ":  # lossy: 14 bits a side behind the frame's start code
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", body[6:10]))
        width, height, alpha = width - 1, height - 1, False
    else:
        raise ValueError("damaged: a WebP without pixels")
    flags = HAS_XMP | (HAS_ALPHA if alpha else 0)
    head = bytes([flags, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return [(b"VP8X", head), *chunks]


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """(kind, where its body starts, how long that is)."""
    file.seek(4)
    (length,) = struct.unpack("<I", exactly(file, 4))
    at, end, whole = 12, length + 8, size(file)
    if end > whole:
        raise EOFError("cut short")
    for _ in range(PARTS):
        if at + 8 > end:
            return
        file.seek(at)
        kind, length = struct.unpack("<4sI", exactly(file, 8))
        if at + 8 + length > end:
            raise EOFError("cut short")
        yield kind, at + 8, length
        at += 8 + length + length % 2
    raise ValueError("of too many chunks: not read")
