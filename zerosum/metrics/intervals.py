"""How far a score could be off: 95 % intervals over the items that were drawn, with the features fixed.

Three ways, because none serves every score:

- `bootstrap`, for means over items (Efron 1979, "Bootstrap Methods").
- `jackknife`, leaving out a tenth of either side at a time, for smooth functions of both sides' moments (Efron & Stein
  1981; Busing et al. 1999, "Delete-m Jackknife for Unequal m"). Resampling with replacement would count items twice there,
  which makes a Fréchet distance larger and a kernel distance biased.
- `parts`, from scores of a tenth of the items each, for scores of nearest neighbours, where an item drawn twice would be its
  own neighbour (batch means; Politis & Romano 1994 on subsampling).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import torch
from torch import Tensor

GROUPS = 10
RESAMPLES = 200
FEWEST = 25
"""Items a part must have for its score to mean anything."""

Z = 1.959964
"""97.5 % quantile of the normal law."""
T = 2.262
"""97.5 % quantile of Student's law with GROUPS - 1 degrees of freedom."""

Interval = tuple[float | None, float | None]


def bootstrap(values: Tensor, of: Callable[[Tensor], Tensor] | None = None, seed: int = 0) -> Interval:
    """The middle 95 % of the mean over 200 resamples of values [n], or of what `of` makes of resamples [200, n]."""
    rows = torch.randint(len(values), (RESAMPLES, len(values)), generator=torch.Generator().manual_seed(seed))
    drawn = values.double()[rows]
    found = drawn.mean(1) if of is None else of(drawn)
    low, high = found.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def jackknife(value: float, without: Sequence[Sequence[float]]) -> Interval:
    """value +- t * standard error, from the values without each group of items of each side.

    The sides are independent samples, so that their variances add.
    """
    variance = 0.0
    for values in without:
        count, mean = len(values), sum(values) / len(values)
        variance += (count - 1) / count * sum((one - mean) ** 2 for one in values)
    return value - T * sqrt(variance), value + T * sqrt(variance)


def parts(value: float, scores: Sequence[float], low: float = 0.0, high: float = float("inf")) -> Interval:
    """value +- t * standard error, from the scores of disjoint parts of the items, cut off at the score's range."""
    if len(scores) < 3:
        return None, None
    mean = sum(scores) / len(scores)
    error = sqrt(sum((one - mean) ** 2 for one in scores) / (len(scores) - 1) / len(scores))
    t = {3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306}.get(len(scores), T)
    return max(low, value - t * error), min(high, value + t * error)


def part_count(n: int) -> int:
    """Into how many disjoint parts n items can be cut: up to 10, of 25 items or more."""
    return min(GROUPS, n // FEWEST)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The score interval of a share: all p for which |hits / n - p| <= z * sqrt(p (1 - p) / n). (0, 1) where n is 0.

    Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference"; for few trials it covers closer to
    95 % than value +- z * error does, and never leaves [0, 1] (Brown, Cai & DasGupta 2001).
    """
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} hits of {n}")
    if n == 0:
        return 0.0, 1.0
    middle, spread = hits + Z * Z / 2, Z * sqrt(hits * (n - hits) / n + Z * Z / 4)
    return max(0.0, (middle - spread) / (n + Z * Z)), min(1.0, (middle + spread) / (n + Z * Z))
