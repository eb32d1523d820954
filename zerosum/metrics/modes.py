"""How many modes of a known mixture are covered, and how many samples are good: for `ring8` and `grid25`."""

from __future__ import annotations

import numpy as np
import torch

from zerosum.data import vectors
from zerosum.data.mixtures import NAMES, centres
from zerosum.metrics.case import Case
from zerosum.metrics.intervals import bootstrap
from zerosum.metrics.score import Score
from zerosum.metrics.trivial import independent

ITEMS = 10_000
QUICK = True


def modes(points: np.ndarray, name: str) -> tuple[int, float]:
    """(modes covered, share of high-quality samples) of points [n, 2], n >= 1, in data units; `name` is the mixture's.

    A sample is high quality if it lies within 3 standard deviations of the nearest mode's centre. A mode is covered if at
    least one high-quality sample is nearest to it. The first number is in {0, ..., modes of the mixture}, the second in
    [0, 1]; points of the mixture itself score all modes and 1 - exp(-9/2) = 0.98889 on average, so no honest generator
    is expected to score more.

    Srivastava et al. 2017, "VEEGAN", section 5.1, and Lin et al. 2018, "PacGAN", section 4.1.
    """
    places, spread = centres(name)
    squared = np.square(np.asarray(points, np.float64)[:, None] - places).sum(2)
    nearest, good = squared.argmin(1), squared.min(1) <= (3 * spread) ** 2
    return len(np.unique(nearest[good])), float(good.mean())


def applies(case: Case) -> bool:
    """The mixtures whose modes are known."""
    return case.spec.origin in NAMES


def measure(case: Case) -> list[Score]:
    """Modes covered and share of high-quality samples, of 10,000 points each; trivial: independent coordinates."""
    name, real = case.spec.origin, case.source.some(ITEMS)
    shown = [vectors.decode(points["x"], case.spec) for points in (case.made(ITEMS), real, independent(real, ITEMS))]
    found = [modes(points, name) for points in shown]
    protocol = (
        f"{ITEMS:,} points; high quality: within 3 standard deviations of a centre; covered: by at least one such point; "
        f"real: fresh points of the mixture; trivial: coordinates drawn independently; interval: bootstrap; seed {case.seed}"
    )
    covered, share = zip(*found, strict=True)
    good = torch.from_numpy(np.square(shown[0][:, None] - centres(name)[0]).sum(2).min(1) <= (3 * centres(name)[1]) ** 2)
    return [
        Score("share of good points", share[0], "higher", share[1], share[2], protocol, *bootstrap(good)),
        Score("modes covered", covered[0], "higher", covered[1], covered[2], protocol),
    ]
