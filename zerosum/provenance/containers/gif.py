"""GIF: an application extension "XMP DataXMP" (XMP specification, part 3, section 1.1.2).

The packet is not cut into blocks of 255 bytes as other data are. Behind it come 258 bytes ("magic trailer") which lead a reader
that takes its letters for lengths back to a block's end, wherever it lands in them.
"""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from zerosum.provenance.containers._bytes import MOST, exactly, size
from zerosum.provenance.notes import xmp

NAME = "GIF"
NOTE = xmp
HEAD = b"\x21\xff\x0bXMP DataXMP"
TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
BLOCKS = 20_000_000


def accepts(head: bytes) -> bool:
    """Whether it begins as a GIF does."""
    return head.startswith((b"GIF87a", b"GIF89a"))


def put(data: bytes, text: bytes) -> bytes:
    """The mark goes before the end; extensions are of version 89a."""
    file = BytesIO(data)
    (start, stop), end = _walk(file)
    if start:
        data = data[:start] + data[stop:]
        end -= stop - start
    return b"GIF89a" + data[6:end] + HEAD + text + TRAILER + data[end:]


def get(file: BinaryIO) -> bytes | None:
    """The packet."""
    (start, stop), _ = _walk(file)
    if not start:
        return None
    length = stop - start - len(HEAD)
    if length > MOST:
        raise ValueError(f"its mark has {length:,} bytes, more than {MOST:,}: not read")
    file.seek(start + len(HEAD))
    body = exactly(file, length)
    return body[: -len(TRAILER)] if body.endswith(TRAILER) else body.rstrip(b"\0")


def _walk(file: BinaryIO) -> tuple[tuple[int, int], int]:
    """((start, end) of the extension, (0, 0) where there is none; where the file's last byte is)."""
    end, found = size(file), (0, 0)
    file.seek(6)
    flags = exactly(file, 7)[4]
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    left = BLOCKS
    while at < end and left:
        file.seek(at)
        kind = exactly(file, 1)
        if kind == b"\x3b":
            return found, at
        if kind == b"\x21":
            head = kind + file.read(len(HEAD) - 1)
            stop, left = _blocks(file, at + (len(HEAD) if head == HEAD else 2), left)
            found = (at, stop) if head == HEAD else found
        elif kind == b"\x2c":
            flags = exactly(file, 9)[8]
            stop, left = _blocks(file, at + 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0), left)
        else:
            raise ValueError("damaged: neither a picture nor an extension")
        at = stop
    raise EOFError("cut short")


def _blocks(file: BinaryIO, at: int, left: int) -> tuple[int, int]:
    """Where a row of blocks ends, and how many more may be looked at."""
    while left:
        file.seek(at)
        length = exactly(file, 1)[0]
        at, left = at + 1 + length, left - 1
        if not length:
            return at, left
    raise ValueError("of too many blocks: not read")
