"""Quality: are columns, and pairs of columns, distributed as in the real table? Agrees with SDMetrics' QualityReport.

Column shapes: 1 - Kolmogorov-Smirnov's distance for numbers and times, 1 - total variation for everything else, missing
values left out. Pair trends: 1 - |r - r'| / 2 of Pearson's correlations for two numbers; for all other pairs 1 - total
variation of the contingency tables, where a number is cut into ten equal bins between the least and the greatest value of
its own table. Pairs that hardly hang together in the real table do not count: |r| <= 0.5, or Cramér's V <= 0.3. So says
the documentation of SDMetrics; overall is the mean of both.

Intervals need the scores without each tenth of the rows. So everything is counted by tenths, once, and the scores of many
weightings of the tenths are taken together: the first is of all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from zerosum.metrics.intervals import GROUPS, Interval, jackknife
from zerosum.metrics.tables.columns import codes, compared, is_number, numbers
from zerosum.tables.schema import Column, Schema

if TYPE_CHECKING:
    from pandas import DataFrame

BINS = 10
CORRELATED = 0.5
ASSOCIATED = 0.3
DENSE = 2**20
"""Cells of a contingency table that are counted one by one; of larger ones only those that occur."""


@dataclass(frozen=True)
class Quality:
    """How alike two tables are; each number in [0, 1], 1 where they cannot be told apart by it, NaN where it has no meaning."""

    shapes: dict[str, np.ndarray]  # by column: all rows first, then the weightings
    trends: dict[tuple[str, str], np.ndarray]  # by pair of columns that counts
    correlation: tuple[np.ndarray, np.ndarray]  # real and generated, between the numbers [d, d]
    numbers: tuple[str, ...]  # their names

    @property
    def shape(self) -> float:
        """Mean over columns."""
        return float(_mean(self.shapes.values())[0])

    @property
    def trend(self) -> float:
        """Mean over the pairs that count; NaN where none does."""
        return float(_mean(self.trends.values())[0])

    @property
    def overall(self) -> float:
        """Mean of shape and trend, or the one that there is."""
        return float(self._overall()[0])

    def _overall(self) -> np.ndarray:
        means = _mean(self.shapes.values()), _mean(self.trends.values())
        return _mean(np.broadcast_arrays(*means))  # a lone NaN where there is nothing

    def intervals(self) -> tuple[Interval, Interval, Interval]:
        """95 % intervals of shape, trend and overall, by the jackknife; None where the tables were not cut into groups."""
        found = _mean(self.shapes.values()), _mean(self.trends.values()), self._overall()
        return tuple(_interval(values) for values in found)  # type: ignore[return-value]


def quality(real: DataFrame, made: DataFrame, schema: Schema, groups: int = 1) -> Quality:
    """The quality of a generated table. `groups`: into how many parts both are cut for intervals; 1: no intervals."""
    columns = [column for column in compared(schema) if column.name in real and column.name in made]
    groups = max(1, min(groups, len(real), len(made)))
    parts = [np.arange(len(side)) * groups // max(1, len(side)) for side in (real, made)]
    keep = _weightings(groups)
    number = [column for column in columns if is_number(column)]
    empty = lambda side: np.zeros((len(side), 0))
    values = [np.stack([numbers(side[c.name], c) for c in number], 1) if number else empty(side) for side in (real, made)]
    shapes: dict[str, np.ndarray] = {}
    cells: dict[str, list[np.ndarray]] = {}
    for column in columns:
        if column in number:
            i = number.index(column)
            sides = [side[:, i] for side in values]
            shapes[column.name] = _smirnov(sides, parts, keep)
            cells[column.name] = [_bins(side) for side in sides]
        else:
            cells[column.name] = codes(real[column.name], made[column.name])
            there = [side > 0 for side in cells[column.name]]
            known = [side[kept] for side, kept in zip(cells[column.name], there, strict=True)]
            shapes[column.name] = _variation(known, [part[kept] for part, kept in zip(parts, there, strict=True)], keep)
    trends: dict[tuple[str, str], np.ndarray] = {}
    both = [_correlations(side, part, k) for side, part, k in zip(values, parts, keep, strict=True)]
    for first, second in combinations(columns, 2):
        pair = first.name, second.name
        if first in number and second in number:
            i, j = number.index(first), number.index(second)
            if abs(both[0][0, i, j]) > CORRELATED and not np.isnan(both[1][0, i, j]):
                trends[pair] = 1 - np.abs(both[0][:, i, j] - both[1][:, i, j]) / 2
        else:
            joint = [a * (1 + _most(cells[pair[1]])) + b for a, b in zip(cells[pair[0]], cells[pair[1]], strict=True)]
            if _cramer(cells[pair[0]][0], cells[pair[1]][0], joint[0]) > ASSOCIATED:
                trends[pair] = _variation(joint, parts, keep)
    return Quality(shapes, trends, (both[0][0], both[1][0]), tuple(column.name for column in number))


def associations(frame: DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """How columns hang together [d, d]: Pearson's correlation of two numbers, Cramér's V of all others; 0 without meaning."""
    values = [numbers(frame[c.name], c) if is_number(c) else np.full(len(frame), np.nan) for c in columns]
    found = _correlations(np.stack(values, 1), np.zeros(len(frame), np.int64), np.ones((1, 1)))[0]
    cells = [_bins(one) if is_number(c) else codes(frame[c.name])[0] for one, c in zip(values, columns, strict=True)]
    for (i, first), (j, second) in combinations(enumerate(columns), 2):
        if not (is_number(first) and is_number(second)):
            found[i, j] = found[j, i] = _cramer(cells[i], cells[j], cells[i] * (1 + _most([cells[j]])) + cells[j])
    np.fill_diagonal(found, 1)
    return np.nan_to_num(found)


def _weightings(groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Which groups of the real and of the generated rows count: all; without each of the real; without each of the others."""
    if groups < 2:
        return np.ones((1, 1)), np.ones((1, 1))
    one, all_, without = np.ones((1, groups)), np.ones((groups, groups)), 1 - np.eye(groups)
    return np.concatenate([one, without, all_]), np.concatenate([one, all_, without])


def _mean(rows: Iterable[np.ndarray]) -> np.ndarray:
    """Mean over rows without what has no meaning; NaN where nothing is left."""
    found = np.stack(list(rows) or [np.full(1, np.nan)])
    known = ~np.isnan(found)
    return np.where(known.any(0), np.where(known, found, 0).sum(0) / np.maximum(known.sum(0), 1), np.nan)


def _interval(values: np.ndarray) -> Interval:
    if len(values) < 1 + 2 * GROUPS or np.isnan(values).any():
        return None, None
    low, high = jackknife(float(values[0]), [part.tolist() for part in np.split(values[1:], 2)])
    return max(0.0, low or 0.0), min(1.0, high if high is not None else 1.0)


def _counts(cell: np.ndarray, part: np.ndarray, keep: np.ndarray, size: int) -> np.ndarray:
    """Shares [weightings, size] of each cell."""
    counts = keep @ np.bincount(part * size + cell, minlength=keep.shape[1] * size).reshape(-1, size)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def _variation(sides: list[np.ndarray], parts: list[np.ndarray], keep: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """1 - total variation between two sides' cells, for each weighting; NaN where a side is empty."""
    if not min(len(side) for side in sides):
        return np.full(len(keep[0]), np.nan)
    if _most(sides) >= DENSE or _most(sides) > 4 * sum(map(len, sides)):
        whole = np.unique(np.concatenate(sides), return_inverse=True)[1]
        sides = np.split(whole, [len(sides[0])])
    shares = [_counts(side, part, k, 1 + _most(sides)) for side, part, k in zip(sides, parts, keep, strict=True)]
    return 1 - np.abs(shares[0] - shares[1]).sum(1) / 2


def _smirnov(sides: list[np.ndarray], parts: list[np.ndarray], keep: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """1 - the largest distance of the two distribution functions, for each weighting; NaN where a side has no value."""
    there = [~np.isnan(side) for side in sides]
    if not all(kept.any() for kept in there):
        return np.full(len(keep[0]), np.nan)
    known = [side[kept] for side, kept in zip(sides, there, strict=True)]
    values, cell = np.unique(np.concatenate(known), return_inverse=True)
    cells = np.split(cell, [len(known[0])])
    inside = [part[kept] for part, kept in zip(parts, there, strict=True)]
    shares = [_counts(c, part, k, len(values)).cumsum(1) for c, part, k in zip(cells, inside, keep, strict=True)]
    return 1 - np.abs(shares[0] - shares[1]).max(1)


def _most(sides: list[np.ndarray]) -> int:
    return max((int(side.max()) for side in sides if len(side)), default=0)


def _bins(values: np.ndarray) -> np.ndarray:
    """Ten equal bins between the least and the greatest; a missing value falls beyond the last, as the greatest does."""
    known = values[~np.isnan(values)]
    return np.digitize(values, np.histogram_bin_edges(known, BINS)).astype(np.int64)


def _cramer(a: np.ndarray, b: np.ndarray, joint: np.ndarray) -> float:
    """Cramér's V in [0, 1], from the cells that occur; NaN where one side has one value."""
    (a, counts_a), (b, counts_b), (joint, counts) = (_tally(side) for side in (a, b, joint))
    least = min(np.count_nonzero(counts_a), np.count_nonzero(counts_b)) - 1
    if least < 1:
        return float("nan")
    return float(np.sqrt((np.sum(counts[joint] / counts_a[a] / counts_b[b]) - 1) / least))


def _tally(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells numbered anew where their numbers are sparse, and how many rows each has."""
    if cell.max(initial=0) > 4 * len(cell):
        cell = np.unique(cell, return_inverse=True)[1]
    return cell, np.bincount(cell)


def _correlations(values: np.ndarray, part: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Pearson's correlations [weightings, d, d] over rows where both are there; NaN where one of them does not vary."""
    there = ~np.isnan(values)
    known = there.sum(0)
    zero = np.where(there, values, 0.0)
    centre = zero.sum(0) / np.maximum(known, 1)
    x = np.where(there, values - centre, 0.0)
    spread = np.sqrt((x**2).sum(0) / np.maximum(known, 1))
    varies = spread > 1e-13 * np.maximum(np.abs(centre), 1e-300)
    x /= np.where(varies, spread, 1.0)
    sums = []
    for group in range(keep.shape[1]):
        m, z = there[part == group].astype(np.float64), x[part == group]
        sums.append([m.T @ m, z.T @ m, m.T @ z, (z**2).T @ m, m.T @ z**2, z.T @ z])
    n, sx, sy, sxx, syy, sxy = np.moveaxis(np.einsum("wg,gkij->wkij", keep, np.array(sums)), 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = sxy - sx * sy / n
        variances = (sxx - sx**2 / n, syy - sy**2 / n)
        found = covariance / np.sqrt(np.maximum(variances[0], 0) * np.maximum(variances[1], 0))
    return np.where(varies[:, None] & varies[None, :] & np.isfinite(found), np.clip(found, -1, 1), np.nan)
