"""How many modes of a known mixture are covered, and how many samples are good: for `ring8` and `grid25`."""

from __future__ import annotations

import numpy as np

from zerosum.data.mixtures import centres


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
