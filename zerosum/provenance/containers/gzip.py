"""Gzip (.csv.gz, .tsv.gz): the header's comment (RFC 1952, FCOMMENT), which every reader passes over."""

from __future__ import annotations

from typing import BinaryIO

from zerosum.provenance.containers._bytes import MOST
from zerosum.provenance.notes import plain

NAME = "gzip"
NOTE = plain
CHECK, EXTRA, FILE, COMMENT = 2, 4, 8, 16


def accepts(head: bytes) -> bool:
    """Whether it begins as gzip's streams do."""
    return head.startswith(b"\x1f\x8b\x08")


def put(data: bytes, text: bytes) -> bytes:
    """A new header: the comment alone, and no time, so that equal rows are equal files."""
    start = _fields(data)[1]
    return data[:3] + bytes([COMMENT]) + b"\0\0\0\0" + data[8:10] + text + b"\0" + data[start:]


def get(file: BinaryIO) -> bytes | None:
    """The comment, where there is one."""
    file.seek(0)
    comment, _ = _fields(file.read(MOST))
    return comment if comment is not None and comment.startswith(b"{") else None


def _fields(data: bytes) -> tuple[bytes | None, int]:
    """The comment, and where the compressed data start."""
    if len(data) < 18:
        raise EOFError("cut short")
    flags, at, comment = data[3], 10, None
    if flags & EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (FILE, COMMENT):
        if flags & flag:
            if (stop := data.find(b"\0", at)) < 0:
                raise ValueError("damaged: a header without an end")
            comment = data[at:stop] if flag == COMMENT else comment
            at = stop + 1
    return comment, at + (2 if flags & CHECK else 0)
