"""The consumer of play(): logs, pictures, scores, checkpoints, a time budget, and a clean stop."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from zerosum import parallel
from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.guard.guard import Act, Guard
from zerosum.guard.memory import Memory
from zerosum.metrics.score import Score
from zerosum.play import Run, play
from zerosum.progress import Display
from zerosum.rundir import RunDir
from zerosum.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Training:
    """How long to train, where, and what to keep. None of it belongs to the recipe."""

    steps: int | None = None  # steps to train (default: 5 minutes)
    minutes: float | None = None  # or minutes of training; schedules are fitted to them
    seed: int = 0  # of weights, noise and order of data; 0 or more
    held_out: float | None = None  # share of items kept out of training for scores (default: 0.2, or 0.1 from 10,000 items)
    size: str | None = None  # bring images to 64 (a square) or 64x48 (height x width); default: their own size, or a stated one
    target: str | None = None  # of tables: the column to be predicted; of pairs: the array, column or sub-folder to be made
    inputs: str | None = None  # of pairs: what to make it of, as "left,back" or "rgba[1],rgba[2]"
    schema: str | None = None  # of tables: a JSON file that `zerosum schema` wrote, perhaps edited
    dp_epsilon: float | None = None  # of tables: differential privacy; 1 is usual, and one row then hardly matters
    dp_delta: float = 1e-5  # chance that this promise fails; well below one over the number of rows
    dp_audit: bool = True  # attack the private mechanisms at the end, and say what epsilon is at least
    mirror: bool = False  # mirror images left to right at random
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    threads: int = 0  # processor threads; 0: torch's choice
    precision: Literal["auto", "bf16", "fp32"] = "auto"  # of convolutions; auto: bf16 where the machine is faster in it
    accum: int = 1  # parts a batch is cut into, to save memory
    compile: bool = False  # torch.compile the networks (worth its start-up on a GPU)
    save_every: float = 60.0  # seconds between checkpoints
    log_every: int = 0  # steps between lines of the log; 0: about four lines a second
    pictures: int = 16  # sample pictures over the run, denser early
    scores: int = 3  # times the quick scores are taken on the way, at most; dear ones (3 % of the time) less often
    guard: bool = True  # watch for collapse and broken numbers, go back and mend, and end at the best
    guard_every: int = 0  # steps between the guard's looks at samples; 0: as often as 2 % of the time allows
    patience: int = 0  # such looks without a better sample after which training ends at the best; 0: it goes on to its end


SCORING = 0.03
"""Of the time: what scores on the way may take together, but for the first."""
COUNTS = ("seed", "threads", "save_every", "log_every", "pictures", "scores", "guard_every", "patience")
LEAST = {"steps": 1, "accum": 1} | dict.fromkeys(COUNTS, 0)


def check(training: Training) -> None:
    """Raise UserError where a wish is out of range or two exclude each other."""
    if training.steps is not None and training.minutes is not None:
        raise UserError("steps and minutes both given: choose one")
    if training.minutes is not None and not 0 < training.minutes < math.inf:
        raise UserError(f"minutes {training.minutes}: must be a number greater than 0")
    for name, least in LEAST.items():
        value = getattr(training, name)
        if value is not None and not least <= value < 2**63:
            raise UserError(f"{name} {value}: must be {least} or more")


class Marks:
    """Fires as progress passes each mark; marks passed before the start stay silent."""

    def __init__(self, marks: list[float], progress: float) -> None:
        self._left = [mark for mark in sorted(marks) if mark > progress]

    def passed(self, progress: float) -> bool:
        """Whether a mark was passed since the last call."""
        before = len(self._left)
        self._left = [mark for mark in self._left if mark > progress]
        return len(self._left) < before


class Ticker:
    """When to look up from the game: about four times a second, and at steps to be logged; the same on every rank."""

    def __init__(self, every: int, step: int) -> None:
        self._every, self._next, self._first = every, step + 1, step

    def due(self, step: int, total: int) -> bool:
        """Whether to look up after this step."""
        return step >= self._next or step >= total or (self._every > 0 and step % self._every == 0)

    def logs(self, step: int, total: int) -> bool:
        """Whether a look-up after this step goes into the log."""
        return not self._every or step % self._every == 0 or step >= total

    def ticked(self, step: int, seconds: float) -> None:
        """Note the seconds since training was (re)started, and choose the next step to look up at."""
        each = seconds / max(1, step - self._first)
        self._next = step + max(1, min(1000, int(0.25 / max(each, 1e-6))))


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM ask for a stop at the next look-up; a second one stops at once."""
    asked: list[int] = []

    def ask(number: int, _: object) -> None:
        asked.append(number)
        for one in before:
            signal.signal(one, before[one])

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, ask)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def own_randomness(device: str) -> Iterator[None]:
    """Torch's global streams, which play() seeds at every step, are afterwards as they were."""
    with torch.random.fork_rng([device] if device.startswith("cuda") else []):
        yield


def train(
    run: Run,
    source: Source,
    training: Training,
    folder: RunDir | None = None,
    display: Display | None = None,
    score: Callable[[bool], list[Score]] | None = None,
    picture: Callable[[RunDir], None] | None = None,
    before: float = 0.0,
    memory: Memory | None = None,
    best: Snapshot | None = None,
    notes: list[str] | None = None,
) -> tuple[bool, float]:
    """Play to the end of the plan, or until asked to stop. Returns (whether it came to the end, seconds of training).

    `score(quick)` and `picture(folder)` are called on rank 0 as the plan says; `before` is the seconds that an earlier
    part of this run took, `memory` and `best` what its guard remembered; what it says goes to `notes`. Afterwards the run
    is the one to show: the last, or the best. Raises UserError where numbers broke and could not be mended, or a
    checkpoint cannot be written.
    """
    display = display or Display()
    first = parallel.rank() == 0
    start, here, played = time.perf_counter(), 0.0, 0
    pending: list[dict[str, Tensor]] = []
    seen: dict[str, Any] = {}
    saved = before
    last_scores: list[Score] = []
    scoring, dear = 0.0, 0.0  # seconds that scores took in all, and the last time
    guard = Guard(run, source, training.guard_every, training.patience, memory, best) if training.guard else None
    going = not (guard and guard.memory.stopped)

    def remembered() -> dict[str, Any] | None:
        return guard.memory.to_json() if guard else None

    def save(seconds: float) -> None:
        if guard is None:
            weights = {name: p.isfinite().all() for name, p in run.nets.named_parameters()}
            finite({name: 1.0 if whole else math.nan for name, whole in weights.items()}, folder, run.clock.step)
        parallel.sync_buffers(run.nets)
        if folder is not None and first:
            if guard and (kept := guard.to_save()):
                folder.save(kept, seconds, guard=remembered(), best=kept.clock.step)
            folder.save(run, seconds, guard=remembered(), best=guard.best.clock.step if guard and guard.best else None)

    def tell(act: Act, seconds: float) -> None:
        """Into the log, the folder and before people's eyes."""
        display.note(act.said)
        if notes is not None:
            notes.append(act.said)
        if folder is None or not first:
            return
        if act.name == "mend" and guard and (kept := guard.to_save()):
            folder.save(kept, seconds, guard=remembered(), best=kept.clock.step)
        if act.name != "shown":
            folder.abandon_after(act.to)
        folder.log({**act.to_json(), "seconds": round(seconds, 3)})

    if first and folder is not None and picture and run.clock.step == 0 and training.pictures > 1:
        picture(folder)
    with stop_signals() as asked_to_stop, display, own_randomness(run.pace.device):
        while going:
            going, came_from = False, here
            ticker = Ticker(training.log_every, run.clock.step)
            pictures = Marks([((i + 1) / training.pictures) ** 2 for i in range(training.pictures)], run.clock.progress)
            scores = Marks([(i + 1) / (training.scores + 1) for i in range(training.scores)], run.clock.progress)
            pending, seen = [], {}
            for logs in play(run, source):
                pending.append(logs)
                played += 1
                step = run.clock.step
                if not ticker.due(step, run.clock.total) and not (guard and guard.due(step)):
                    continue
                here = parallel.from_first(time.perf_counter() - start)
                seconds, stop = before + here, not parallel.unanimous(not asked_to_stop())
                losses, logs_now = averaged(pending), ticker.logs(step, run.clock.total)
                ticker.ticked(step, here - came_from)
                if training.minutes is not None:
                    run.clock = replace(run.clock, total=planned(step, seconds, 60 * training.minutes))
                rate = played * run.batch / here
                saving = stop or seconds - saved >= training.save_every
                act = guard.look(here, losses, saving) if guard else None
                seen = {"guard": guard.reading.to_json()} if guard and guard.reading else seen
                if folder is not None and first and (logs_now or act):
                    folder.log({"step": step, "seconds": round(seconds, 3), "items_per_s": round(rate, 1), **losses, **seen})
                pending, seen = ([], {}) if logs_now else (pending, seen)
                if act:
                    tell(act, seconds)
                    going = not act.ends
                    break
                finite(losses, folder, step)
                wanted = first and logs_now and scores.passed(run.clock.progress) and run.clock.progress < 1
                if wanted and score and (not dear or scoring + dear <= SCORING * seconds):
                    begun = time.perf_counter()
                    last_scores = score(True)
                    dear = time.perf_counter() - begun
                    scoring += dear
                    if folder is not None:
                        folder.log(
                            {"step": step, "seconds": round(seconds, 3), "scores": [one.to_json() for one in last_scores]}
                        )
                display.update(run.clock, rate, seconds, losses, last_scores)
                if first and logs_now and folder is not None and picture and pictures.passed(run.clock.progress):
                    picture(folder)
                if saving:
                    save(seconds)
                    saved = seconds
                if stop:
                    return False, seconds
        seconds = before + parallel.from_first(time.perf_counter() - start)
        save(seconds)
        if guard and not guard.memory.stopped and (act := guard.finish()):
            tell(act, seconds)
            if folder is not None and first:
                folder.remember(guard.memory.to_json())
    return True, seconds


def averaged(pending: list[dict[str, Tensor]]) -> dict[str, float]:
    """Each term's mean over the steps since the last look-up, and over the ranks."""
    names = list(dict.fromkeys(name for logs in pending for name in logs))
    means = {name: torch.stack([logs[name].float() for logs in pending if name in logs]).mean() for name in names}
    return parallel.average({name: float(value) for name, value in means.items()})


def planned(step: int, seconds: float, budget: float) -> int:
    """How many steps the run will have in all, if the rest of its seconds goes at the pace of those so far.

    So progress is the share of time that is spent, and does not jump where a run is resumed.
    """
    return step if seconds >= budget else max(step + 1, math.floor(step * budget / seconds))


def finite(losses: dict[str, float], folder: RunDir | None, step: int) -> None:
    """Stop where a loss is NaN or infinite, before it is saved."""
    wrong = [name for name, value in losses.items() if not math.isfinite(value)]
    if wrong:
        kept = f"step {folder.latest()} is saved" if folder is not None and folder.checkpoints() else "nothing was saved yet"
        raise UserError(
            f"{', '.join(wrong)} is no longer a finite number at step {step}: lower the learning rates (--lr-d, --lr-g); {kept}"
        )
