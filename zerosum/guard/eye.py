"""The eye: a small classifier of the user's own labelled images, trained beside the game in the guard's share of the time.

On old states of ten games a Fréchet distance on its features chose wrongly between two of them in 2 % of the cases, one on
pixels and random filters in 31 % (docs/LOG.md).
"""

from __future__ import annotations

import time
from collections.abc import Generator

import torch
from torch import Tensor

from zerosum.data.source import Source
from zerosum.metrics.features import SMALLEST
from zerosum.metrics.features.base import as_bytes
from zerosum.metrics.features.classifier import steps
from zerosum.metrics.features.convolutions import Convolutions
from zerosum.metrics.frechet import frechet

STEPS = 600
LOOK = 1000
"""Real items to compare with, at most."""


def suits(source: Source) -> bool:
    """Whether there are classes to learn, and images large enough to be worth it."""
    return source.spec.kind == "images" and source.spec.classes > 1 and min(source.spec.shape[1:]) >= SMALLEST


class Eye:
    """Grows by and by, on the processor; once `open` it measures. A function of the source alone, whenever it grows."""

    def __init__(self, source: Source) -> None:
        self.open, self._source = False, source
        with torch.random.fork_rng([]):
            torch.default_generator.manual_seed(7)
            self._net = Convolutions(source.spec.shape, source.spec.classes)
            self._stream = torch.default_generator.get_state()
        self._growth: Generator[int] = steps(self._net, source, 7, "cpu", STEPS)
        self._real = torch.empty(0)

    def grow(self, seconds: float) -> None:
        """Learn for about so many seconds, a step at least, or until it can see."""
        end = time.perf_counter() + seconds
        with torch.random.fork_rng([]), torch.enable_grad():
            torch.default_generator.set_state(self._stream)
            while not self.open:
                self.open = next(self._growth) == STEPS
                if time.perf_counter() >= end:
                    break
            self._stream = torch.default_generator.get_state()
        if self.open:
            self._growth.close()  # it holds an optimiser and, of a source on a GPU, a copy of the data
            self._net.eval().requires_grad_(False)
            self._real = self._look(self._source.some(min(LOOK, self._source.spec.at_once), seed=7)["x"].float())

    def distance(self, made: Tensor) -> float:
        """Fréchet distance of items [n, *shape] to real ones; NaN where they are not finite."""
        seen = self._look(made)
        return frechet(seen, self._real) if bool(seen.isfinite().all()) else float("nan")

    @torch.no_grad()
    def _look(self, x: Tensor) -> Tensor:
        return torch.cat([self._net(as_bytes(part))[0] for part in x.split(250)])
