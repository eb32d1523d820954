"""Where packed pictures are kept: whole or not at all, found again by content, shared by processes, removable by hand.

packs/KEY/      one packed set; KEY is a hash of the files' contents and of what was done with them
index/STAMP     a hash of a folder's files' sizes and times, and its KEY; STAMP is a hash of its path and of their names
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from zerosum.errors import UserError

try:
    import fcntl
except ImportError:  # not on this system: two processes may then pack the same set, and the first to end wins
    fcntl = None  # type: ignore[assignment]


def home() -> Path:
    """$ZEROSUM_CACHE, else $XDG_CACHE_HOME/zerosum, else ~/.cache/zerosum."""
    if own := os.environ.get("ZEROSUM_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zerosum"


@contextmanager
def writing() -> Iterator[None]:
    """Turn a failed write into one line."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        what = "free some space, or set" if full else "check its permissions, or set"
        raise UserError(
            f"cannot write the cache in {home()} ({error.strerror or error}): {what} ZEROSUM_CACHE to another folder"
        ) from error


@contextmanager
def alone(stamp: str) -> Iterator[None]:
    """One process at a time for one stamp; others wait, and then find what it made. A killed one's lock is gone with it."""
    if fcntl is None:
        yield
        return
    with writing():
        (home() / "index").mkdir(parents=True, exist_ok=True)
        handle = os.open(home() / "index" / f".{stamp}.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def noted(stamp: str) -> tuple[str, str] | None:
    """What was noted of a stamp: how its files stood, and the key."""
    try:
        stood, key = (home() / "index" / stamp).read_text().split()
        return stood, key
    except (OSError, ValueError):
        return None


def note(stamp: str, stood: str, key: str) -> None:
    """Note a stamp's key, and how its files stood: a word each."""
    with writing():
        (home() / "index").mkdir(parents=True, exist_ok=True)
        scratch = home() / "index" / f".{stamp}-{uuid4().hex[:8]}"
        scratch.write_text(f"{stood} {key}\n")
        scratch.replace(home() / "index" / stamp)


def place(key: str) -> Path:
    """Where the pack of this key lies, or would."""
    return home() / "packs" / key


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder to pack into, gone afterwards unless it was `keep`t."""
    path = home() / "packs" / f".packing-{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
    with writing():
        path.mkdir(parents=True)
    _sweep(path.parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def keep(path: Path, key: str) -> Path:
    """Give a finished folder its name. Where another process was first, its pack stays."""
    with writing():
        for file in path.iterdir():
            with file.open("rb+") as handle:
                os.fsync(handle.fileno())
        try:
            path.rename(place(key))
        except OSError:
            if not place(key).is_dir():
                raise
    return place(key)


def drop(key: str) -> None:
    """Put a damaged pack out of the way."""
    gone = home() / "packs" / f".gone-{uuid4().hex[:8]}"
    try:
        place(key).rename(gone)
    except OSError:
        return
    shutil.rmtree(gone, ignore_errors=True)


def _sweep(packs: Path) -> None:
    """Remove what killed processes left."""
    for left in (*packs.glob(".packing-*"), *packs.glob(".gone-*")):
        host, _, number = left.name.removeprefix(".packing-").rsplit("-", 1)[0].rpartition("-")
        try:
            old = time.time() - left.stat().st_mtime > 2 * 86400
            if old or (host == socket.gethostname() and number.isdigit() and not _lives(int(number))):
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue


def _lives(number: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
