"""NumPy's .npz: the zip archive's comment, so that no array is added and `np.load` shows what it always did."""

from __future__ import annotations

import struct
from typing import BinaryIO

from zerosum.provenance.containers._bytes import exactly, size
from zerosum.provenance.notes import plain

NAME = "npz"
NOTE = plain
END, LENGTH = b"PK\5\6", 22
"""Signature and length of the archive's last record, which the comment of up to 65,535 bytes follows."""


def accepts(head: bytes) -> bool:
    """Whether it begins as a zip archive does."""
    return head.startswith((b"PK\3\4", END))


def put(data: bytes, text: bytes) -> bytes:
    """The archive with this comment."""
    if len(text) > 0xFFFF:
        raise ValueError("a mark beyond 64 KiB does not fit into a zip archive")
    return data[: _end(data) + LENGTH - 2] + struct.pack("<H", len(text)) + text


def get(file: BinaryIO) -> bytes | None:
    """The comment, where there is one."""
    whole = size(file)
    file.seek(max(0, whole - 0xFFFF - LENGTH))
    tail = exactly(file, whole - file.tell())
    text = tail[_end(tail) + LENGTH :]
    return text if text.startswith(b"{") else None  # other archives have other comments


def _end(data: bytes) -> int:
    """Where the last record starts."""
    at = data.rfind(END)
    while at >= 0:
        if at + LENGTH <= len(data) and at + LENGTH + struct.unpack("<H", data[at + 20 : at + 22])[0] == len(data):
            return at
        at = data.rfind(END, 0, at)
    raise EOFError("cut short")
