"""Files that are whole or as they were, and a full disk said in one line."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zerosum.errors import UserError


def write(path: Path, data: bytes | memoryview) -> None:
    """Write a file; on the disk when this returns."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, data: bytes | memoryview) -> None:
    """Write a whole file, or leave what was there."""
    scratch = path.with_name(f".{path.name}")
    try:
        write(scratch, data)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """What was made, renamed or removed in the folder is on the disk when this returns, where the system can say so."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def writing(where: Path, scratch: Path | None = None) -> Iterator[None]:
    """Turn a failed write into one line, and leave no half-written checkpoint behind."""
    try:
        yield
    except OSError as error:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        what = "free some space, then try again (a run: with --resume)" if full else "check the path and its permissions"
        raise UserError(
            f"cannot write to {where} ({error.strerror or error}): what was saved before is whole; {what}"
        ) from error
