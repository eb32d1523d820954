"""A run's log, read as it is written: each look reads what was added since, and keeps no more than is drawn."""

from __future__ import annotations

import json
import stat
import threading
from collections import deque
from pathlib import Path
from typing import Any

from zerosum.explore.series import Series
from zerosum.explore.tidy import number, text, whole

MOST_BYTES = 2**26
"""Of a log's end that are read; what lies before is not drawn."""
MOST_LINE = 2**20
"""Bytes of one line; a longer one is passed over."""
MOST_NAMES = 64
"""Curves, and scores, that a run may have."""
MOST_ACTS = 200
"""Of the guard that are kept, the last ones."""
LOOKS = {"score": "distance", "fine": "fine distance", "spread": "variety", "coverage": "coverage"}
"""What the guard's looks at samples are called, by their names in the log."""


class Logbook:
    """What log.jsonl tells so far. `read()` before looking; whatever is damaged or too long in it is passed over."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.Lock()
        self._path = path
        self._begin()

    def _begin(self) -> None:
        self._file, self._at, self._rest, self._skips = (0, 0), 0, b"", False
        self.lines: dict[str, Series] = {}
        self.scores: dict[str, list[dict[str, Any]]] = {}
        self.acts: deque[dict[str, Any]] = deque(maxlen=MOST_ACTS)
        self.step, self.rows = 0, 0
        self.seconds, self.gap = 0.0, 0.0  # of training so far, and between the last two lines
        self.rate: float | None = None
        self.final = self.stopped = False  # at its end, or ended by the guard, as far as the last lines say
        self.changed = 0.0  # when it was last written

    def read(self) -> None:
        """Take in what was added; all of it anew where the file is another one or was cut."""
        try:
            now = self._path.stat()
        except OSError:
            self._begin()
            return
        if not stat.S_ISREG(now.st_mode):
            self._begin()
            return
        if (now.st_dev, now.st_ino) != self._file or now.st_size < self._at:
            self._begin()
            self._file = (now.st_dev, now.st_ino)
        self.changed = now.st_mtime
        if now.st_size == self._at:
            return
        try:
            with self._path.open("rb") as file:
                if now.st_size - self._at > MOST_BYTES:
                    self._at, self._rest, self._skips = now.st_size - MOST_BYTES, b"", True
                file.seek(self._at)
                while self._at < now.st_size and (block := file.read(min(2**20, now.st_size - self._at))):
                    self._at += len(block)
                    self._take(block)
        except OSError:
            self._begin()

    def _take(self, block: bytes) -> None:
        *whole_lines, rest = (self._rest + block).split(b"\n")
        for line in whole_lines:
            if not self._skips and len(line) <= MOST_LINE:
                self._line(line)
            self._skips = False
        if len(rest) > MOST_LINE:
            rest, self._skips = b"", True
        self._rest = b"" if self._skips else rest

    def _line(self, line: bytes) -> None:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(row, dict) or not whole(row.get("step")):
            return
        self.rows += 1
        if isinstance(row.get("scores"), list):
            self._scored(row)
        elif isinstance(row.get("note"), str):
            self._acted(row)
        else:
            self._played(row)

    def _played(self, row: dict[str, Any]) -> None:
        step = row["step"]
        if number(seconds := row.get("seconds")) and seconds >= 0:
            self.gap = max(0.0, seconds - self.seconds)
            self.seconds = seconds
        self.step, self.final, self.stopped = step, False, False
        self.rate = rate if number(rate := row.get("items_per_s")) else self.rate
        for name, value in row.items():
            if "/" in name and number(value):
                self._add(text(name, 60), step, value)
        looked = row["guard"] if isinstance(row.get("guard"), dict) else {}
        for name, called in LOOKS.items():
            if number(value := looked.get(name)):
                self._add(f"guard/{called}", step, value)

    def _add(self, name: str, step: int, value: float) -> None:
        if name not in self.lines and len(self.lines) >= MOST_NAMES:
            return
        self.lines.setdefault(name, Series()).add(step, value)

    def _acted(self, row: dict[str, Any]) -> None:
        guard = row["guard"] if isinstance(row.get("guard"), dict) else {}
        at = guard.get("from")
        told = {name: text(guard.get(name), 40) for name in ("name", "kind", "remedy")}
        self.acts.append({"step": at if whole(at) else row["step"], "to": row["step"], "note": text(row["note"]), **told})
        self.stopped = told["name"] == "stop"
        self.final = False
        if told["name"] != "shown":
            self.step = min(self.step, row["step"])
            for line in self.lines.values():
                line.forget_after(row["step"])

    def _scored(self, row: dict[str, Any]) -> None:
        self.final = self.final or row.get("final") is True
        for one in row["scores"][:MOST_NAMES]:
            if not isinstance(one, dict) or not isinstance(one.get("name"), str) or not number(one.get("value")):
                continue
            name = text(one["name"], 80)
            if name not in self.scores and len(self.scores) >= MOST_NAMES:
                continue
            ends = {end: one[end] if number(one.get(end)) else None for end in ("low", "high", "real", "trivial")}
            better = "lower" if one.get("better") == "lower" else "higher"
            words = {"name": name, "better": better, "protocol": text(one.get("protocol"))}
            kept = {**words, "value": one["value"], **ends, "step": row["step"]}
            earlier = [old for old in self.scores.get(name, []) if old["step"] != row["step"]]
            self.scores[name] = [*earlier, kept][-100:]
