"""Probe: what a generator makes of always the same inputs, against always the same real items."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import exp, log
from typing import Any

import torch
from torch import Tensor

from zerosum.data.source import Source
from zerosum.game import Batch
from zerosum.guard.eye import Eye
from zerosum.guard.views import views
from zerosum.metrics.frechet import frechet
from zerosum.play import Run
from zerosum.sampling import draw, generate

REAL = 1000
"""Real items to compare with, where there are so many."""
NEIGHBOURS = 5
LOOKED_AT = 400
"""Items among which distances are taken."""


@dataclass(frozen=True)
class Reading:
    """One look at the generator."""

    step: int  # when
    score: float  # Fréchet distance to real items, over that of other real items: 1 is as good as real
    spread: float  # mean distance between two generated items over that between two real ones: near 0, all are alike
    coverage: float  # share of real items that have a generated one in their neighbourhood, in [0, 1]
    fine: float | None = None  # Fréchet distance to real items on the eye's features, where there is an eye and it is open

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded, for the log and the checkpoint."""
        return {name: round(value, 5) for name, value in asdict(self).items() if value is not None}

    def over(self, best: Reading) -> float:
        """How many times the best's distance this one's is: by the eye where it saw both."""
        if self.fine is not None and best.fine is not None:
            return self.fine / max(best.fine, 1e-9)
        return self.score / max(best.score, 1e-9)


class Probe:
    """Compares with real items of the source; n_real is at most half of them."""

    def __init__(self, source: Source, items: int, asked: Batch | None = None, eye: Eye | None = None) -> None:
        """`items`: how many to generate for a reading. `asked`: what a game that maps is given, each at most once."""
        self.eye = eye
        self._asked, self.items = asked, items if asked is None else min(items, len(asked["x"]))
        items = self.items
        real = source.some(min(2 * REAL, source.spec.at_once), seed=7)["x"].float()
        half = len(real) // 2
        self._views = views(real[:half])
        self._real = [view(real[:half]) for view in self._views]
        # other real items, as many as are generated, so that both distances have the same bias from their number
        other = [view(real[half : half + items]) for view in self._views]
        self._floor = [max(frechet(a, b), 1e-9) for a, b in zip(other, self._real, strict=True)]
        near = self._real[-1][:LOOKED_AT]
        apart = torch.cdist(near, near)
        self._near, self._apart = near, float(apart.sum()) / max(1, len(near) * (len(near) - 1))
        reach = min(NEIGHBOURS + 1, len(near))
        self._radius = apart.kthvalue(reach, dim=1).values  # an item is its own nearest

    def look(self, run: Run, seed: int = 0) -> Reading:
        """The run's generator as it would be shown; the same inputs for the same seed, others for another where there are
        any. Disturbs nothing."""
        asked = self._asked
        if asked is not None and seed:
            asked = {name: value.roll(-seed * self.items, 0) for name, value in asked.items()}
        return self.judge(run.clock.step, generate(run, draw(run.game, self.items, seed, real=asked))["x"])

    def judge(self, step: int, made: Tensor) -> Reading:
        """A reading of items [n, *shape]. NaN where the items are not finite."""
        seen = [view(made) for view in self._views]
        if not all(bool(one.isfinite().all()) for one in seen):
            return Reading(step, float("nan"), float("nan"), 0.0)
        distances = [frechet(a, b) / floor for a, b, floor in zip(seen, self._real, self._floor, strict=True)]
        fakes = seen[-1][:LOOKED_AT]
        spread = float(torch.cdist(fakes, fakes).sum()) / max(1, len(fakes) * (len(fakes) - 1)) / max(self._apart, 1e-12)
        nearest = torch.cdist(self._near, fakes).amin(1)
        covered = float((nearest <= self._radius).float().mean())
        fine = self.eye.distance(made) if self.eye is not None and self.eye.open else None
        return Reading(step, exp(sum(log(max(d, 1e-9)) for d in distances) / len(distances)), spread, covered, fine)
