"""What the page shows of one run, read from its folder as it stands: damaged, unfinished, or swept away meanwhile."""

from __future__ import annotations

import os
import re
import struct
import time
from itertools import islice
from pathlib import Path
from typing import Any

from zerosum.errors import UserError
from zerosum.explore.logbook import Logbook
from zerosum.explore.tidy import number, parsed, text, tidy, whole
from zerosum.rundir import RunDir
from zerosum.web.trouble import Unfit, Unknown

MOST_PICTURES = 240
"""Of a run that can be looked at; of more, as many are chosen evenly."""
MOST_FILES = 10_000
"""In the folder of sample pictures that are listed."""
MOST_BYTES = 2**24
"""Of one sample picture."""
MOST_PIXELS = 2**25
MOST_META = 2**20
"""Bytes of a checkpoint's meta.json, or of a frame."""
QUIET = 45.0
"""Seconds without a new line after which a training counts as interrupted, where its own lines are not further apart."""
STEP = re.compile(r"step-([0-9]{1,15})")


class Record:
    """One run folder, looked at again and again."""

    def __init__(self, name: str, path: Path, refused: str = "") -> None:
        """`refused`: why nothing in the folder is read."""
        self.name, self.path, self._refused = name, path, refused
        self.log = Logbook(path / "log.jsonl")
        self._read: tuple[Any, dict[str, Any], str] = (None, {}, "")

    def config(self) -> tuple[dict[str, Any], str]:
        """config.json, and what is wrong with it: "" where nothing is."""
        try:
            now = (self.path / "config.json").stat()
            mark = (now.st_ino, now.st_size, now.st_mtime_ns)
        except OSError:
            mark = None
        if mark is None or mark != self._read[0]:
            try:
                self._read = (mark, RunDir(self.path).config, "")
            except UserError as error:
                self._read = (mark, {}, text(str(error), 600))
        return self._read[1:]

    def part(self, name: str) -> dict[str, Any]:
        """An object of config.json; {} where it is none."""
        found = self.config()[0].get(name)
        return found if isinstance(found, dict) else {}

    def checkpoints(self) -> list[int]:
        """Steps of the checkpoints that are there."""
        return sorted(step for step, _ in _numbered(self.path, ""))

    def pictures(self) -> list[tuple[int, Path]]:
        """(step, path) of the sample pictures, in order."""
        return _chosen(_numbered(self.path / "samples", ".png"))

    def frames(self) -> list[tuple[int, Path]]:
        """(step, path) of the frames of points in the plane, in order."""
        return _chosen(_numbered(self.path / "samples", ".json"))

    def picture(self, step: int) -> bytes:
        """A sample picture: a PNG of a size that can be shown. Raises Unknown where there is none, Unfit where it is none."""
        path = dict(self.pictures()).get(step)
        try:
            if path is None or path.is_symlink() or not path.is_file():
                raise Unknown(f"no sample picture of step {step} in {self.name}")
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise Unknown(f"the sample picture of step {step} is gone") from error
        head = data[:24]
        if len(head) < 24 or head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
            raise Unfit(f"{path} is no PNG: it is not shown")
        width, height = struct.unpack(">II", head[16:24])
        if len(data) > MOST_BYTES or not 0 < width * height <= MOST_PIXELS:
            raise Unfit(f"{path} is {width:,} x {height:,} pixels in {len(data):,} bytes or more: too large to be shown")
        return data

    def meta(self) -> dict[str, Any]:
        """meta.json of the newest checkpoint; {} without one."""
        steps = self.checkpoints()
        found = parsed(self.path / f"step-{steps[-1]}" / "meta.json", MOST_META) if steps else None
        return found if isinstance(found, dict) else {}

    def standing(self) -> dict[str, Any]:
        """Where the run stands. Call it with the log read."""
        log, training, clock = self.log, self.part("training"), self.meta().get("clock")
        planned = training.get("steps")
        if not whole(planned):
            planned = clock.get("total") if isinstance(clock, dict) else None
        minutes = training.get("minutes")
        planned_seconds = 60 * minutes if number(minutes) and minutes > 0 else None
        total = planned if whole(planned) and planned > 0 else None
        share = log.seconds / planned_seconds if planned_seconds else log.step / total if total else 0.0
        return {
            "state": self._state(share),
            "step": log.step,
            "total": total,
            "seconds": round(log.seconds, 1),
            "planned": planned_seconds,
            "share": round(min(1.0, max(0.0, share)), 4),
            "rate": log.rate,
            "changed": self._changed(),
            "checkpoints": self.checkpoints()[-8:],
        }

    def _changed(self) -> float:
        """When it was last written to, seconds since 1970."""
        try:
            return round(self.log.changed or (self.path / "config.json").stat().st_mtime, 1)
        except OSError:
            return 0.0

    def _state(self, share: float) -> str:
        log = self.log
        if self.config()[1]:
            return "damaged"
        if log.stopped:
            return "stopped"
        if log.final or share >= 1:
            return "finished"
        patience = min(3600.0, max(QUIET, 10 * log.gap))
        if abs(time.time() - self._changed()) < patience:
            return "training" if log.rows else "starting"
        return "interrupted" if log.rows else "empty"

    def summary(self) -> dict[str, Any]:
        """What the list of runs shows of it."""
        if self._refused:
            return {
                "name": self.name,
                "error": text(self._refused),
                "state": "damaged",
                "changed": 0,
                "scores": [],
                "lines": {},
            }
        with self.log.lock:
            self.log.read()
            config, error = self.config()
            spec, log = self.part("spec"), self.log
            pictures = self.pictures()
            return {
                "name": self.name,
                "error": error,
                **self.standing(),
                "recipe": text(config.get("recipe"), 120),
                "data": text(spec.get("origin"), 120),
                "kind": text(spec.get("kind"), 40),
                "shape": tidy(spec.get("shape")),
                "classes": len(found) if isinstance(found := spec.get("names"), list) else 0,
                "private": bool(config.get("privacy")),
                "scores": [found[-1] for found in log.scores.values()],
                "act": log.acts[-1] if log.acts else None,
                "picture": _marked(pictures[-1:]),
                "lines": {name: _thin(log.lines[name].points()) for name in _telling(list(log.lines))},
            }

    def story(self) -> dict[str, Any]:
        """All of it, over the training."""
        told = self.summary()
        with self.log.lock:
            return told | {
                "lines": {name: line.points() for name, line in self.log.lines.items()},
                "scored": self.log.scores,
                "acts": list(self.log.acts),
                "pictures": _marked(self.pictures()),
                "frames": _marked(self.frames()),
                "settings": tidy(self.config()[0].get("settings")),
                "training": tidy(self.config()[0].get("training")),
                "machine": tidy(self.config()[0].get("machine")),
                "parameters": tidy(self.config()[0].get("parameters")),
            }


def _numbered(folder: Path, suffix: str) -> list[tuple[int, Path]]:
    """(step, path) of what is called step-N and the suffix, in order; links are left out."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, MOST_FILES) if not entry.is_symlink()]
    except OSError:
        return []
    ends = len(suffix)
    stems = [(name, name[: len(name) - ends]) for name in names if name.endswith(suffix)]
    found = [(int(match[1]), folder / name) for name, stem in stems if (match := STEP.fullmatch(stem))]
    return sorted(found)


def _chosen(found: list[Any]) -> list[Any]:
    """At most so many, the first and the last among them."""
    last = len(found) - 1
    if last < MOST_PICTURES:
        return found
    return [found[round(i * last / (MOST_PICTURES - 1))] for i in range(MOST_PICTURES)]


def _marked(found: list[tuple[int, Path]]) -> list[list[Any]]:
    """[step, a mark that changes with the file] of each; what is gone meanwhile is left out."""
    marks: list[list[Any]] = []
    for step, path in found:
        try:
            now = path.stat()
        except OSError:
            continue
        marks.append([step, f"{now.st_mtime_ns:x}-{now.st_size:x}"])
    return marks


def _telling(names: list[str]) -> list[str]:
    """The curves that tell most of a run in one small picture: D's opinions, else what the first player minimises."""
    logits = [name for name in names if name.endswith(("/logit_real", "/logit_fake"))]
    return logits[:2] or [name for name in names if not name.startswith("guard/")][:2]


def _thin(points: tuple[list[int], list[float | None]], most: int = 80) -> tuple[list[int], list[float | None]]:
    """Fewer points of a curve, evenly chosen."""
    every = -(-len(points[0]) // most) or 1
    return points[0][::-1][::every][::-1], points[1][::-1][::every][::-1]
