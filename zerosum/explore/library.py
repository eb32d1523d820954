"""The run folders that the explorer shows, and their generators, loaded when first asked for."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.explore.offer import Offer
from zerosum.explore.record import Record
from zerosum.explore.tidy import text
from zerosum.job import open_run
from zerosum.rundir import RunDir
from zerosum.sampling import Sampler
from zerosum.web.trouble import Unknown

MOST_LOADED = 4
"""Generators in memory at once; the one longest unasked goes first."""
MOST_RUNS = 300
"""That the page lists, those written to last."""
MOST_INSIDE = 10_000
"""Files and folders that a run folder, and a folder in it, may hold."""


@dataclass
class Loaded:
    """A generator in memory, what it was loaded from, and a lock: one computes at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    sampler: Sampler | None = None
    of: tuple[object, ...] = ()


class Library:
    """Runs under a folder: the folder itself where it is one, else those directly in it. Raises UserError where none is."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        if not self.root.is_dir():
            raise UserError(f"{root}: no such folder; give a run folder, or a folder of them")
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._records: dict[str, Record] = {}
        self._offers: dict[str, tuple[object, Offer]] = {}
        self._lock = threading.Lock()

    @property
    def single(self) -> str | None:
        """The run's name, where the folder is one."""
        return _name(self.root) if _is_run(self.root) else None

    def paths(self) -> dict[str, Path]:
        """The runs by their names: folders that are no links, with a config.json."""
        if _is_run(self.root):
            return {_name(self.root): self.root}
        try:
            with os.scandir(self.root) as entries:
                found = sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError as error:
            raise Unknown(f"{self.root} cannot be read ({error.strerror}): was it moved?") from error
        return {_name(path): path for path in found if _is_run(path)}

    def path(self, name: str) -> Path:
        """The folder of a run. A name is looked up, never joined to a path. Raises Unknown where there is none."""
        if (path := self.paths().get(name)) is None:
            raise Unknown(f"no run {text(name, 100)} in {self.root}")
        _refuse_leaks(path)
        return path

    def folder(self, name: str) -> RunDir:
        """A run folder, opened."""
        return RunDir(self.path(name))

    # ---- what is shown without a generator -----------------------------------------------------------------------------

    def record(self, name: str) -> Record:
        """What a run's folder tells. Raises Unknown where there is no such run, UserError where a link leads out of it."""
        return self._record(name, self.path(name))

    def records(self) -> tuple[list[Record], int]:
        """The runs that can be listed, those written to last first, and how many are left out."""
        paths = sorted(self.paths().items(), key=lambda one: _written(one[1]), reverse=True)
        records = []
        for name, path in paths[:MOST_RUNS]:
            try:
                _refuse_leaks(path)
            except UserError as error:
                records.append(Record(name, path, str(error)))
            else:
                records.append(self._record(name, path))
        return records, max(0, len(paths) - MOST_RUNS)

    def _record(self, name: str, path: Path) -> Record:
        with self._lock:
            if name not in self._records:
                if len(self._records) > 2 * MOST_RUNS:
                    self._records.clear()
                self._records[name] = Record(name, path)
            return self._records[name]

    # ---- what is shown with one ----------------------------------------------------------------------------------------

    def offer(self, name: str) -> tuple[Offer, str]:
        """What a run can be asked for, and why not for more: "" where it has a checkpoint that can be loaded."""
        folder = self.folder(name)
        mark = _mark(folder.path / "config.json")
        if (known := self._offers.get(name)) and known[0] == mark and folder.checkpoints():
            return known[1], ""
        recipe = text(folder.config.get("recipe"), 120)
        try:
            nothing = Offer(Spec.from_json(folder.config["spec"]), recipe)
        except (KeyError, TypeError, AttributeError, ValueError):
            nothing = Offer(Spec("unknown", ()), recipe)
        if not folder.checkpoints():
            return nothing, "no checkpoint yet: panels that need the generator come with the first"
        try:
            with self.sampler(name) as sampler:
                offer = Offer.of(sampler, recipe)
        except UserError as error:
            return nothing, str(error)
        self._offers[name] = (mark, offer)
        return offer, ""

    @contextmanager
    def sampler(self, name: str) -> Iterator[Sampler]:
        """A run's generator as it is shown now, for one thread at a time; loaded anew where training has gone on."""
        path = self.path(name)
        with self._lock:
            held = self._loaded.setdefault(name, Loaded())
            self._loaded.move_to_end(name)
            while len(self._loaded) > MOST_LOADED:
                self._loaded.popitem(last=False)
        with held.lock:
            yield self._fresh(path, held)

    def own(self, name: str) -> Sampler:
        """A run's generator for one task alone, which may take minutes: the panels go on with theirs meanwhile."""
        return self._fresh(self.path(name), Loaded())

    def _fresh(self, path: Path, held: Loaded, tries: int = 5) -> Sampler:
        """The held generator, or the one that the folder shows by now."""
        folder = RunDir(path)
        step = folder.shown()
        of = (step, _mark(path / "config.json"), _mark(path / f"step-{step}" / "nets.safetensors"))
        if held.sampler is not None and held.of == of:
            return held.sampler
        try:
            held.sampler, held.of = open_run(path, step, device="cpu"), of
        except Exception as error:  # a folder may be anyone's: whatever it breaks is a fault of the folder
            if tries and step not in folder.checkpoints():  # swept away while it was read: training has saved a newer one
                return self._fresh(path, held, tries - 1)
            if isinstance(error, UserError):
                raise
            first = " ".join(str(error).split("\n")[:1])
            raise UserError(f"{path} cannot be loaded ({type(error).__name__}: {text(first, 200)}): is it damaged?") from error
        return held.sampler


def _name(path: Path) -> str:
    """A folder's name as text that can be sent, whatever bytes it is made of."""
    return path.name.encode("utf-8", "replace").decode() or "run"


def _is_run(path: Path) -> bool:
    try:
        return (path / "config.json").is_file()
    except OSError:
        return False


def _mark(path: Path) -> object:
    """Changes with a file; None where there is none."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_ino, now.st_size, now.st_mtime_ns


def _written(path: Path) -> float:
    """When a run was last written to."""
    for name in ("log.jsonl", "config.json"):
        try:
            return (path / name).stat().st_mtime
        except OSError:
            continue
    return 0.0


def _refuse_leaks(path: Path) -> None:
    """Raise UserError where a link in a run folder leads out of it, where something in it is no file, or where there are too
    many files to say."""
    inside, folders = path.resolve(), [path]
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                for count, entry in enumerate(entries):
                    if count >= MOST_INSIDE:
                        raise UserError(f"{folder} holds more than {MOST_INSIDE:,} files: it is not read")
                    if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(inside):
                        raise UserError(f"{entry.path} leads out of its run folder: it is not read")
                    if not (entry.is_file() or entry.is_dir() or entry.is_symlink()):  # a pipe keeps its readers waiting
                        raise UserError(f"{entry.path} is neither a file nor a folder: it is not read")
                    if folder is path and entry.is_dir():
                        folders.append(Path(entry.path))
        except FileNotFoundError:  # swept away meanwhile
            continue
        except (OSError, RuntimeError) as error:
            raise UserError(f"{folder} cannot be read ({error}): check its permissions") from error
