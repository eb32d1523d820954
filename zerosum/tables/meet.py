"""Constraints met when rows are decoded: choices are made among what is allowed, numbers are put in order.

Everything here works on a choice's scores [n, size] before the choice is made, or on plain numbers after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Forbidden:
    """Pairs of codes that two choices cannot have together. `first` is decided before `second`."""

    first: str
    second: str
    pairs: tuple[tuple[int, int], ...]

    def mask(self, first: np.ndarray, size: int) -> np.ndarray:
        """Which codes of the second are closed to rows whose first has these codes: bool [n, size]."""
        table = np.zeros((int(first.max(initial=0)) + 1, size), bool)
        for a, b in self.pairs:
            if a < len(table):
                table[a, b] = True
        return table[first]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"first": self.first, "second": self.second, "pairs": [list(pair) for pair in self.pairs]}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Forbidden:
        """What `to_json` wrote."""
        return Forbidden(values["first"], values["second"], tuple((a, b) for a, b in values["pairs"]))


def chosen(scores: np.ndarray, closed: list[np.ndarray]) -> np.ndarray:
    """The best code of each row that nothing closes, int64 [n]; the best of all where everything is closed."""
    codes = scores.argmax(1)
    if not closed:
        return codes
    shut = np.logical_or.reduce(closed)
    rows = np.flatnonzero(shut[np.arange(len(codes)), codes] & ~shut.all(1))
    codes[rows] = np.where(shut[rows], -np.inf, scores[rows]).argmax(1)
    return codes


def ordered(low: np.ndarray, high: np.ndarray, free_low: bool, free_high: bool) -> tuple[np.ndarray, np.ndarray]:
    """Two plain columns with low <= high wherever both are there.

    Where both are free numbers, a row that breaks it has them exchanged; else the free one gives way.
    """
    wrong = low > high
    if free_low and free_high:
        return np.where(wrong, high, low), np.where(wrong, low, high)
    return (np.where(wrong, high, low), high) if free_low else (low, np.where(wrong & free_high, low, high))
