"""The run folders that the explorer shows, and their generators, loaded when first asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from zerosum.errors import UserError
from zerosum.job import open_run
from zerosum.rundir import RunDir
from zerosum.sampling import Sampler
from zerosum.web.trouble import Unknown

MOST_LOADED = 4
"""Generators in memory at once; the one longest unasked goes first."""


@dataclass
class Loaded:
    """A generator in memory, the step it is of, and a lock: one computes at a time."""

    sampler: Sampler
    step: int
    lock: threading.Lock = field(default_factory=threading.Lock)


class Library:
    """Runs under a folder: the folder itself where it is one, else those directly in it. Raises UserError where none is."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        if not self.root.is_dir():
            raise UserError(f"{root}: no such folder; give a run folder, or a folder of them")
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._lock = threading.Lock()

    def paths(self) -> dict[str, Path]:
        """The runs by their names: folders that are no links, with a config.json."""
        if (self.root / "config.json").is_file():
            return {self.root.name: self.root}
        found = sorted(path for path in self.root.iterdir() if path.is_dir() and not path.is_symlink())
        return {path.name: path for path in found if (path / "config.json").is_file()}

    def path(self, name: str) -> Path:
        """The folder of a run. A name is looked up, never joined to a path. Raises Unknown where there is none."""
        if (path := self.paths().get(name)) is None:
            raise Unknown(f"no run {name} in {self.root}")
        if leak := _leak(path):
            raise UserError(f"{leak} leads out of its run folder: it is not read")
        return path

    def folder(self, name: str) -> RunDir:
        """A run folder, opened."""
        return RunDir(self.path(name))

    @contextmanager
    def sampler(self, name: str) -> Iterator[Sampler]:
        """A run's generator as it is shown now, for one thread at a time; loaded anew where training has gone on."""
        folder = self.folder(name)
        with self._lock:
            step = folder.shown()
            held = self._loaded.get(name)
            if held is None or held.step != step:
                held = self._loaded[name] = Loaded(open_run(folder.path, device="cpu"), step)
            self._loaded.move_to_end(name)
            while len(self._loaded) > MOST_LOADED:
                self._loaded.popitem(last=False)
        with held.lock:
            yield held.sampler


def _leak(path: Path) -> Path | None:
    """The first link in a run folder that leads out of it."""
    inside = path.resolve()
    for part in (*path.glob("*"), *path.glob("*/*")):
        if part.is_symlink() and not part.resolve().is_relative_to(inside):
            return part
    return None
