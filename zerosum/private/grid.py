"""How the numbers of a column lie: noisy counts on a grid that is the same for all tables, or lies between the user's bounds.

The grid has, for either sign, a bucket for every power of two and 16 equal cells in each. A bucket is used where its noisy
count is clear of the noise; the least and the greatest of these are the column's bounds, and what lies beyond is brought
to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from zerosum.private.key import Key
from zerosum.private.ledger import Read

LOWEST, HIGHEST = -20, 40
"""Powers of two that have buckets: numbers from about a millionth to a trillion, beside 0."""
CELLS = 16
"""Of a bucket."""
BETWEEN = 64
"""Cells where both bounds are the user's."""
CLEAR = 4.0
"""Deviations of the noise from which on a bucket is used."""
BINS = 24
"""Bins that cells are joined to, at most."""


@dataclass(frozen=True)
class Bins:
    """Neighbouring stretches [edges[i], edges[i + 1]] and about how many rows lie in each."""

    edges: tuple[float, ...]
    counts: tuple[float, ...]


def buckets() -> np.ndarray:
    """The edges of all buckets, ascending: those of negative numbers, one about 0, those of positive ones."""
    powers = 2.0 ** np.arange(LOWEST, HIGHEST + 1)
    return np.concatenate([-powers[::-1], powers])


def lay(
    plain: Mapping[str, np.ndarray], bounds: Mapping[str, tuple[float, float]], noise: float, key: Key
) -> tuple[dict[str, Bins], Read]:
    """The bins of each column's numbers (NaN: not counted), and what they cost. `bounds`: of those whose user named both."""
    free = len(plain) - len(bounds.keys() & plain.keys())
    sensitivity = max(1.0, len(plain) + free) ** 0.5  # a row is counted in a cell, and in a bucket where there are buckets
    sigma = noise * sensitivity
    found = {name: _bins(values, bounds.get(name), sigma, key, name) for name, values in plain.items()}
    how = "Gaussian histograms on a fixed grid"
    return found, Read("bounds of numbers, and how they lie between", how, noise, sensitivity, 1)


def _bins(values: np.ndarray, bounds: tuple[float, float] | None, sigma: float, key: Key, name: str) -> Bins:
    known = values[~np.isnan(values)]
    if bounds is not None:
        low, high = bounds
        edges = np.linspace(low, high if high > low else low + 1, BETWEEN + 1)
    else:
        coarse = buckets()
        edges = np.unique(np.concatenate([np.linspace(a, b, CELLS + 1) for a, b in pairwise(coarse)]))
        noisy = np.histogram(known.clip(coarse[0], coarse[-1]), coarse)[0] + sigma * key.normal(
            (len(coarse) - 1,), "buckets", name
        )
        used = np.flatnonzero(noisy >= CLEAR * sigma)
        if len(used) == 0:
            used = np.array([int(noisy.argmax())])
        low, high = coarse[used[0]], coarse[used[-1] + 1]
    counts = np.histogram(known.clip(edges[0], edges[-1]), edges)[0] + sigma * key.normal((len(edges) - 1,), "cells", name)
    within = (edges[:-1] >= low) & (edges[1:] <= high)
    return _joined(np.append(edges[:-1][within], edges[1:][within][-1]), counts[within], sigma)


def _joined(edges: np.ndarray, counts: np.ndarray, sigma: float) -> Bins:
    """Cells joined from below until each bin is clear of the noise; ends without a cell that is clear of it are cut off."""
    clear = np.flatnonzero(counts >= 3 * sigma)
    if len(clear):
        edges, counts = edges[clear[0] : clear[-1] + 2], counts[clear[0] : clear[-1] + 1]
    full = max(6 * sigma, counts.sum() / BINS)
    starts, sums = [0], [0.0]
    for i, count in enumerate(counts):
        if sums[-1] >= full:
            starts.append(i)
            sums.append(0.0)
        sums[-1] += count
    if len(sums) > 1 and sums[-1] < full / 2:  # what is left at the end goes to the last bin
        rest = sums.pop()
        starts.pop()
        sums[-1] += rest
    return Bins((*(float(edges[i]) for i in starts), float(edges[-1])), tuple(max(1.0, one) for one in sums))
