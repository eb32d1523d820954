"""A column as a choice among its values: the frequent ones by name, a long tail in a bounded number of buckets.

A text value that only one row has is not kept: its name would tell of a single row, and nothing can be learned of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zerosum.tables.plain import missing

LEAST = 2
"""Rows that a value must have to be kept by name."""
HEAD = 128
"""Values that stand for themselves where there are too many for all."""
BUCKETS = 64
"""Buckets of the others."""
MOST_NUMBERS = 150
"""Different numbers up to which a column of numbers is a choice among them, where there are rows enough for each."""


def countable(plain: np.ndarray) -> bool:
    """Whether plain numbers are so few that a choice among them says more than modes: at most 10, or 150 of 20 rows each."""
    values = plain[~missing(plain)]
    distinct = len(np.unique(values))
    return distinct <= 10 or (distinct <= MOST_NUMBERS and len(values) >= 20 * distinct)


@dataclass(frozen=True)
class Choice:
    """Codes [0, size): `values` one by one, then `tail` bucket by bucket, then missing where `null`."""

    values: tuple[Any, ...]
    null: bool = False
    tail: tuple[tuple[Any, ...], ...] = ()
    weights: tuple[tuple[int, ...], ...] = ()  # training rows of the tail's values
    number: bool = False  # whether values are numbers

    @staticmethod
    def fit(plain: np.ndarray, order: tuple[Any, ...] = ()) -> Choice:
        """The choice that plain training values ask for. `order`: all values there are, in order."""
        import pandas as pd

        gone = missing(plain)
        number, null = plain.dtype == np.float64, bool(gone.any())
        counts = pd.Series(plain[~gone]).value_counts()
        kept = counts[counts >= LEAST] if (counts >= LEAST).any() else counts
        if order:
            return Choice(tuple(v for v in order if v in kept.index), null)
        if number:
            return Choice(tuple(sorted(float(v) for v in kept.index)), null, number=True)
        names = sorted(zip(kept.index, kept, strict=True), key=lambda pair: (-pair[1], str(pair[0])))
        if len(names) <= HEAD + BUCKETS:
            return Choice(tuple(_scalar(value) for value, _ in names), null)
        head, rest = names[:HEAD], sorted(names[HEAD:], key=lambda pair: str(pair[0]))  # neighbours by name share a bucket
        mass = np.cumsum([count for _, count in rest])
        where = np.minimum((mass - 1) * BUCKETS // mass[-1], BUCKETS - 1)
        groups = [[rest[i] for i in np.flatnonzero(where == bucket)] for bucket in range(BUCKETS)]
        groups = [group for group in groups if group]
        return Choice(
            tuple(_scalar(value) for value, _ in head),
            null,
            tuple(tuple(_scalar(value) for value, _ in group) for group in groups),
            tuple(tuple(int(count) for _, count in group) for group in groups),
        )

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.values) + len(self.tail) + self.null

    @cached_property
    def _index(self) -> tuple[Any, np.ndarray]:
        import pandas as pd

        buckets = [(value, len(self.values) + i) for i, group in enumerate(self.tail) for value in group]
        known = [*self.values, *(value for value, _ in buckets)]
        codes = np.array([*range(len(self.values)), *(code for _, code in buckets)], np.int32)
        return pd.Index(np.array(known, np.float64) if self.number else np.array([*known, None], object)[:-1]), codes

    def codes(self, plain: np.ndarray) -> np.ndarray:
        """int32 [n]. What is not known takes the nearest number, a bucket in turn, or the commonest value."""
        index, codes = self._index
        gone = missing(plain)
        if self.number:
            sought, numbers = np.where(gone, 0, plain), index.to_numpy()
            right = np.searchsorted(numbers, sought).clip(0, len(numbers) - 1)
            left = np.maximum(right - 1, 0)
            found = np.where(np.abs(sought - numbers[left]) <= np.abs(numbers[right] - sought), left, right)
        else:
            at = index.get_indexer(plain)
            spread = len(self.values) + np.arange(len(plain)) % max(1, len(self.tail))
            found = np.where(at >= 0, codes[at], spread if self.tail else 0)
        return np.where(gone, self.size - 1 if self.null else 0, found).astype(np.int32)

    def knows(self, value: Any) -> int | None:
        """The code that a value has to itself, or shares in the tail; None where it is not known. None asks for missing."""
        if value is None:
            return self.size - 1 if self.null else None
        index, codes = self._index
        at = index.get_indexer([value])[0]
        return None if at < 0 else int(codes[at])

    def plain(self, codes: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Plain values of codes; `chance` [n] in [0, 1) draws within a bucket, by frequency."""
        out = np.empty(len(codes), np.float64 if self.number else object)
        table = np.empty(self.size, out.dtype)
        table[: len(self.values)] = np.array(self.values, out.dtype)
        if self.null:
            table[-1] = np.nan if self.number else None
        out[:] = table[codes]
        for i, (group, weights) in enumerate(zip(self.tail, self.weights, strict=True)):
            rows = np.flatnonzero(codes == len(self.values) + i)
            edges = np.cumsum(weights)
            picked = np.searchsorted(edges, chance[rows] * edges[-1], side="right").clip(0, len(group) - 1)
            out[rows] = np.array(group, object)[picked]
        return out

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "values": list(self.values),
            "null": self.null,
            "tail": [list(group) for group in self.tail],
            "weights": [list(group) for group in self.weights],
            "number": self.number,
        }

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Choice:
        """What `to_json` wrote."""
        tail, weights = (tuple(tuple(group) for group in values[name]) for name in ("tail", "weights"))
        return Choice(tuple(values["values"]), bool(values["null"]), tail, weights, bool(values["number"]))


def _scalar(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    return value.item() if isinstance(value, np.generic) else value
