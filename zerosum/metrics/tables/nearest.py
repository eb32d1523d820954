"""How far rows of tables lie from each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zerosum.metrics.intervals import GROUPS
from zerosum.metrics.tables.columns import codes, is_number, numbers
from zerosum.tables.schema import Column

if TYPE_CHECKING:
    from pandas import DataFrame

PART = 250
"""Rows of one side whose distances to all of the other are in memory at once."""

COMMON = (0.01, 0.99)
"""Quantiles between which numbers differ by 1 at most: a few huge values do not rule the distance."""


class Points:
    """Tables whose rows can be compared: number columns scaled, all others as codes. Scales come from the first table."""

    def __init__(self, columns: Sequence[Column], *tables: DataFrame) -> None:
        self.count = len(columns)
        found = [[numbers(table[c.name], c) for table in tables] for c in columns if is_number(c)]
        words = [codes(*(table[c.name] for table in tables)) for c in columns if not is_number(c)]
        self._numbers = [[self._scaled(side, sides[0]) for side in sides] for sides in found]
        self._codes = [[side.astype(np.int32) for side in sides] for sides in words]
        self._rows = [len(table) for table in tables]

    @staticmethod
    def _scaled(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
        known = whole[~np.isnan(whole)]
        low, high = np.quantile(known, COMMON) if len(known) else (0.0, 0.0)
        if not low < high:
            low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
        return ((values - low) / ((high - low) or 1.0)).astype(np.float32)

    def parts(self, a: int, b: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Rows of table number a, 250 at a time, with their distances float32 [rows, m] to all rows of table number b.

        The distance is the mean over columns of |x - y| over the column's range, 1 at most, and of 1 for other values or
        where just one of them is missing: in [0, 1]. Gower 1971, "A General Coefficient of Similarity and Some of Its
        Properties".
        """
        for start in range(0, self._rows[a], PART):
            rows = slice(start, min(start + PART, self._rows[a]))
            total = np.zeros((rows.stop - rows.start, self._rows[b]), np.float32)
            for sides in self._codes:
                total += sides[a][rows, None] != sides[b][None]
            for sides in self._numbers:
                x, y = sides[a][rows, None], sides[b][None]
                gap = np.minimum(np.abs(x - y), 1)
                if np.isnan(x).any() or np.isnan(y).any():
                    gap = np.where(np.isnan(gap), np.isnan(x) != np.isnan(y), gap)
                total += gap
            yield rows, total / max(1, self.count)

    def nearest(self, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
        """Distances from each row of a to the nearest of each tenth of b [n, tenths], and from each of b to a's nearest [m]."""
        tenths = min(GROUPS, self._rows[b])
        starts = np.arange(tenths) * self._rows[b] // tenths
        there, back = np.empty((self._rows[a], tenths), np.float32), np.full(self._rows[b], np.inf, np.float32)
        for rows, distances in self.parts(a, b):
            there[rows] = np.minimum.reduceat(distances, starts, axis=1)
            back = np.minimum(back, distances.min(0))
        return there, back

    def neighbour(self, a: int, b: int) -> np.ndarray:
        """int64 [rows of a]: the nearest row of b."""
        return np.concatenate([distances.argmin(1) for _, distances in self.parts(a, b)])
