"""Answers of people who were asked which of two items is real, in RUN/eye.jsonl: a line each, and no word of who they were."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zerosum.files import writing
from zerosum.metrics.intervals import wilson
from zerosum.web.trouble import TooMuch

NAME = "eye.jsonl"
MOST = 4 * 2**20
"""Bytes of a file: some 30,000 answers."""

_lock = threading.Lock()


@dataclass(frozen=True)
class Answer:
    """One answer. `session` is a random word that tells answers of one sitting from those of another."""

    session: str
    trial: int  # from 0
    of: int  # trials that were planned
    step: int  # of the generator
    fooled: bool  # whether the generated item was taken for the real one
    real: str  # where the real one was: left or right
    limit_ms: int | None  # how long the two could be seen; None: until the answer
    seconds: float  # from showing to answer


def keep(folder: Path, answer: Answer) -> None:
    """Append an answer to a run folder, as one write. Raises TooMuch where the file is full."""
    path, line = folder / NAME, json.dumps(asdict(answer)) + "\n"
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    with _lock, writing(folder):
        handle = os.open(path, flags, 0o644)
        try:
            size = os.fstat(handle).st_size
            if size + len(line) > MOST:
                raise TooMuch(f"{path} is full ({MOST // 2**20} MiB): move it elsewhere to begin anew")
            if size and os.pread(handle, 1, size - 1) != b"\n":  # a line that was cut off stays by itself
                line = "\n" + line
            os.write(handle, line.encode())
        finally:
            os.close(handle)


def read(folder: Path) -> list[Answer]:
    """The answers of a run folder, in their order; whatever else the file holds is passed over."""
    path = folder / NAME
    try:
        with path.open("rb") as file:
            lines = file.read(MOST).split(b"\n")
    except OSError:
        return []
    return [one for line in lines if (one := _answer(line)) is not None]


def _answer(line: bytes) -> Answer | None:
    try:
        values = json.loads(line)
        one = Answer(**{name: values[name] for name in Answer.__dataclass_fields__})
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    words = isinstance(one.session, str) and len(one.session) <= 64 and one.real in ("left", "right")
    return one if words and isinstance(one.fooled, bool) and type(one.step) is int and type(one.trial) is int else None


def summary(found: Iterable[Answer]) -> dict[str, Any]:
    """How often people were fooled: "trials", "fooled", "sessions", and "rate" with its 95 % interval "low" to "high".

    The rate is None where nobody answered. The interval is Wilson's; it takes answers as independent.
    """
    found = list(found)
    fooled, n = sum(one.fooled for one in found), len(found)
    low, high = wilson(fooled, n)
    sessions = len({one.session for one in found})
    return {"trials": n, "fooled": fooled, "sessions": sessions, "rate": fooled / n if n else None, "low": low, "high": high}


def words(told: Mapping[str, Any]) -> str:
    """A summary in a sentence."""
    if told["rate"] is None:
        return "nobody has judged yet"
    share = f"{100 * told['rate']:.0f} % ({100 * told['low']:.0f} to {100 * told['high']:.0f} %)"
    if told["high"] < 0.5:
        means = "generated items are told from real ones more often than by chance"
    elif told["low"] > 0.5:
        means = "generated items are taken for real ones more often than real ones themselves"
    else:
        means = "these answers do not tell them apart better than a coin does"
    return f"fooled in {told['fooled']:,} of {told['trials']:,} trials, {share}: {means}"
