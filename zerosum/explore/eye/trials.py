"""Trials of two alternatives: a real item, which training never saw, beside a generated one, in an order nobody can guess."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from torch import Tensor

from zerosum.data import images
from zerosum.data.source import Spec
from zerosum.game import Batch
from zerosum.sampling import Sampler, draw
from zerosum.web.trouble import Busy

Side = Literal["left", "right"]
SIDES: tuple[Side, ...] = ("left", "right")
GROUND = 208
"""Grey on which what is transparent is shown, real and generated alike."""


@dataclass(frozen=True)
class Trial:
    """One pair. Nothing of it is told before it is answered."""

    row: int  # of the real item among the held-out ones
    other: int  # of the item that is mapped, for games that map and are not paired
    seed: int  # of the generated item
    real: Side


def plan(n: int, held: int) -> list[Trial]:
    """n trials over `held` items: each real item once as long as there are some, sides by a fair coin."""
    random = secrets.SystemRandom()
    rows = [row for _ in range(-(-n // held)) for row in random.sample(range(held), held)]
    side = lambda: random.choice(SIDES)
    return [Trial(row, random.randrange(held), random.randrange(2**62), side()) for row in rows[:n]]


@dataclass
class Session:
    """One sitting: its trials, how long a pair is seen, and where it stands."""

    run: str
    step: int
    held: Batch
    trials: list[Trial]
    limit_ms: int | None
    word: str = field(default_factory=lambda: secrets.token_hex(6))  # in the file; not the number that answers go by
    chosen: list[Side] = field(default_factory=list)
    shown_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def over(self) -> bool:
        """Whether every trial is answered."""
        return len(self.chosen) == len(self.trials)

    def trial(self, number: int) -> Trial:
        """A trial that may be looked at: the one that is due, or one that is answered. Raises Busy for any other."""
        if not 0 <= number <= min(len(self.chosen), len(self.trials) - 1):
            raise Busy(f"trial {number + 1} is not due: answer trial {len(self.chosen) + 1} first")
        if number == len(self.chosen) and self.shown_at is None:
            self.shown_at = time.monotonic()
        return self.trials[number]

    def judged(self, number: int, choice: Side) -> tuple[bool, float]:
        """Whether the generated item was taken for the real one, and seconds since it was shown. Raises Busy where the trial
        is not due, is answered already, or was never shown."""
        if self.over or number != len(self.chosen) or self.shown_at is None:
            raise Busy(f"trial {number + 1} is answered already, or was not shown yet")
        return choice != self.trials[number].real, time.monotonic() - self.shown_at

    def go_on(self, choice: Side) -> None:
        """Count an answer that is kept; the next trial is due."""
        self.chosen.append(choice)
        self.shown_at = None


def pair(sampler: Sampler, held: Batch, trial: Trial) -> np.ndarray:
    """Both items of a trial in one picture, uint8 [h, 2 w, 3], left then right: one file, so that no size, name or time of
    arrival tells them apart.

    The generated item is of the real one's class, where the generator takes labels. A game that maps pairs makes the
    output of the real item's own input; one that maps unpaired sets, of another item's.
    """
    one = lambda row: {name: value[row : row + 1] for name, value in held.items()}
    real, maps = one(trial.row), sampler.maps
    if maps is not None:
        given = real if maps.paired else one(trial.other)
        made = sampler.generate(draw(sampler.run.game, 1, trial.seed, real=given))["x"]
    else:
        label = int(real["y"][0]) if sampler.labelled and "y" in real else None
        made = sampler.make(1, trial.seed, label)["x"]
    items = [_flat(x, sampler.spec) for x in (real["x"], made)]
    return np.concatenate(items if trial.real == "left" else items[::-1], 1)


def _flat(x: Tensor, spec: Spec) -> np.ndarray:
    """One item as it is shown, uint8 [h, w, 3]: grey as three equal channels, on grey where it is transparent."""
    item = images.decode(x, spec)[0]
    item = item[..., None] if item.ndim == 2 else item
    if item.shape[2] == 4:
        alpha = item[..., 3:].astype(np.float32) / 255
        item = np.rint(item[..., :3] * alpha + GROUND * (1 - alpha)).astype(np.uint8)
    return item if item.shape[2] == 3 else np.repeat(item[..., :1], 3, 2)
