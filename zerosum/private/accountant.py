"""What noise costs: Rényi differential privacy of the Gaussian mechanism, of all rows or of a Poisson sample, and epsilon.

Mironov 2017, "Rényi Differential Privacy": proposition 7 (Gaussian), proposition 1 (costs at one order add up). Mironov,
Talwar & Zhang 2019, "Rényi Differential Privacy of the Sampled Gaussian Mechanism", section 3.3, for whole orders. From Rényi
to epsilon: Canonne, Kamath & Steinke 2020, "The Discrete Gaussian for Differential Privacy", proposition 12.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln, logsumexp

ORDERS = np.array([*range(2, 65), 72, 80, 96, 128, 192, 256, 384, 512])
"""Whole orders at which costs are kept. Those between would save 3 % at an epsilon of 10, nothing worth having below 5."""


def renyi(noise: float, rate: float = 1.0, steps: int = 1) -> np.ndarray:
    """The cost at each of `ORDERS` of `steps` noisy sums, each over a Poisson sample of the rows that has each at `rate`.

    `noise`: the deviation of the noise over the sum's sensitivity (how far one row can move it, in L2). Infinite without noise.
    """
    if rate == 0 or steps == 0:
        return np.zeros(len(ORDERS))
    if noise == 0:
        return np.full(len(ORDERS), np.inf)
    if rate == 1:
        return steps * ORDERS / (2 * noise**2)
    return steps * np.array([_sampled(int(order), rate, noise) for order in ORDERS])


def _sampled(order: int, rate: float, noise: float) -> float:
    """log(sum over k of binomial(order, k) (1 - q)^(order - k) q^k exp((k^2 - k) / (2 noise^2))) / (order - 1)."""
    k = np.arange(order + 1)
    binomial = gammaln(order + 1) - gammaln(k + 1) - gammaln(order - k + 1)
    terms = binomial + (order - k) * np.log1p(-rate) + k * np.log(rate) + (k**2 - k) / (2 * noise**2)
    return float(logsumexp(terms)) / (order - 1)


def spent(cost: np.ndarray, delta: float) -> tuple[float, int]:
    """(epsilon, the place in `ORDERS` that gives it) of a cost, at a delta in (0, 1)."""
    if delta <= 0:
        return float("inf"), 0
    if not cost.any():
        return 0.0, 0
    found = cost + np.log1p(-1 / ORDERS) - (np.log(delta) + np.log(ORDERS)) / (ORDERS - 1)
    best = int(np.argmin(found))
    return max(0.0, float(found[best])), best


def least(enough: Callable[[float], bool], high: float = 1e6, low: float = 1e-3) -> float:
    """The least number that is enough, to one part in 10,000, where every larger one is enough too; `high` at most."""
    while high / low > 1 + 1e-4:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def single(epsilon: float, delta: float) -> float:
    """The noise with which one Gaussian mechanism alone costs epsilon at delta."""
    return least(lambda noise: spent(renyi(noise), delta)[0] <= epsilon)
