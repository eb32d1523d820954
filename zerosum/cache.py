"""The cache: what can be made again at any time, and is kept to save that time."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """$ZEROSUM_CACHE, else $XDG_CACHE_HOME/zerosum, else ~/.cache/zerosum. It need not exist."""
    if own := os.environ.get("ZEROSUM_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "zerosum"


def keep(path: Path, write: Callable[[Path], Any]) -> bool:
    """Let `write` make a file beside `path`, then give it the name: whole or not at all. False where it cannot be written.

    A cache that cannot be written costs time, and is no reason to stop.
    """
    scratch = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(scratch)
        scratch.replace(path)
    except OSError:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        return False
    return True
