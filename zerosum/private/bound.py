"""What guesses about canaries prove: a lower bound on epsilon.

Steinke, Nasr & Jagielski 2023, "Privacy Auditing with One (1) Training Run", theorem 5.2 and its proof for delta > 0: of m
canaries each is in the table or not, by a fair coin; whoever sees what was published guesses some of them. Under
(epsilon, delta) the number of right guesses is hardly larger than that of coins which fall right with a chance of
e^epsilon / (1 + e^epsilon).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom


def chance(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """The greatest chance of so many right guesses, or more, under (epsilon, delta)."""
    q = 1 / (1 + np.exp(-epsilon))
    if right == 0:
        return 1.0
    below = np.cumsum(binom.pmf(right - np.arange(1, right + 1), guesses, q))  # of [right - i, right)
    leaning = float((below / np.arange(1, right + 1)).max())
    return min(1.0, float(binom.sf(right - 1, guesses, q)) + 2 * canaries * delta * leaning)


def at_least(canaries: int, guesses: int, right: int, delta: float, doubt: float = 0.05) -> float:
    """The largest epsilon that is refuted but for a chance of `doubt`; 0 where none is."""
    if guesses == 0 or chance(canaries, guesses, right, 0.0, delta) > doubt:
        return 0.0
    low, high = 0.0, 50.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if chance(canaries, guesses, right, middle, delta) <= doubt else (low, middle)
    return low
