"""Marks in files: written into bytes or files, read back from files that nobody vouches for."""

from __future__ import annotations

import json
from hashlib import file_digest
from pathlib import Path

from zerosum.errors import UserError
from zerosum.provenance import containers
from zerosum.provenance.found import Found
from zerosum.provenance.notes import plain
from zerosum.provenance.origin import Origin

BESIDE = ".provenance.json"
"""What a note beside a file is called, behind the file's whole name."""
ROOMLESS = (".csv", ".tsv", ".npy")
"""Kinds that have no room for a mark: every byte of them is data."""
MOST_BESIDE = 2**20


def mark(data: bytes, origin: Origin) -> bytes:
    """A file's bytes with what made it in them: PNG, JPEG, WebP, TIFF, GIF, MP4, WAV, npz, gzip, Parquet.

    Equal bytes and origins give equal bytes. Raises ValueError for other kinds.
    """
    container = containers.of(data[:16])
    if container is None:
        raise ValueError("no kind of file that has room for a mark")
    marked: bytes = container.put(data, container.NOTE.write(origin))
    return marked


def mark_file(path: Path, origin: Origin) -> Path | None:
    """Put a mark into a file that was just written; returns the note beside it where its kind has no room for one.

    Raises ValueError for kinds that `mark` does not know, .csv, .tsv and .npy left out.
    """
    if path.suffix.lower() not in ROOMLESS:
        path.write_bytes(mark(path.read_bytes(), origin))
        return None
    note = {"file": path.name, "sha256": _digest(path), **plain.values(origin)}
    beside = sidecar(path)
    beside.write_text(json.dumps(note, indent=2) + "\n", "utf-8")
    return beside


def sidecar(path: Path) -> Path:
    """Where the note beside a file is."""
    return path.with_name(path.name + BESIDE)


def read(path: Path) -> Found:
    """What a file, or the note beside it, says of what made it. The file is looked at, and never decoded or unpacked.

    Raises UserError where it cannot be read or is broken.
    """
    try:
        if not path.is_file():
            raise UserError(f"{path}: {'is a folder: name files' if path.is_dir() else 'no such file: check the path'}")
        with path.open("rb") as file:
            container = containers.of(file.read(16))
            if container is None:
                return _beside(path)
            try:
                text = container.get(file)
                return Found() if text is None else container.NOTE.read(text)
            except (EOFError, ValueError) as error:
                raise UserError(f"{path}: {container.NAME}, {error}: get the file anew") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error


def _beside(path: Path) -> Found:
    note = sidecar(path)
    if not note.is_file():
        return Found()
    if note.stat().st_size > MOST_BESIDE:
        raise UserError(f"{note}: more than {MOST_BESIDE:,} bytes, which is no note of zerosum: remove it")
    try:
        told = json.loads(note.read_bytes())
        found = plain.of(told)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{note}: no JSON: remove it, or get it anew") from error
    same = isinstance(told, dict) and told.get("sha256") == _digest(path)
    return found if same else Found(stale=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
