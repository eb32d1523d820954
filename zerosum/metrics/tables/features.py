"""Rows as numbers that scikit-learn's learners can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zerosum.metrics.tables.columns import is_number, numbers
from zerosum.tables.schema import Column

if TYPE_CHECKING:
    from pandas import DataFrame

VALUES = 64
"""Values of a column that get a feature of their own; the rarer share one."""


class Features:
    """Numbers standardised, with a feature that says whether one is missing; everything else one-hot.

    What it knows, means and values, comes from the frame it was made of. A value that this frame does not have is one of
    the rare.
    """

    def __init__(self, frame: DataFrame, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._scales: dict[str, tuple[float, float]] = {}
        self._values: dict[str, dict[str, int]] = {}
        for column in columns:
            if is_number(column):
                known = numbers(frame[column.name], column)
                known = known[~np.isnan(known)]
                mean, spread = (known.mean(), known.std()) if len(known) else (0.0, 0.0)
                self._scales[column.name] = float(mean), float(spread) or 1.0
            else:
                often = frame[column.name].astype(object).map(_word).value_counts().index[:VALUES]
                self._values[column.name] = {value: i for i, value in enumerate(often)}

    def __call__(self, frame: DataFrame) -> np.ndarray:
        """float32 [n, features]."""
        parts = []
        for column in self._columns:
            if column.name in self._scales:
                mean, spread = self._scales[column.name]
                found = (numbers(frame[column.name], column) - mean) / spread
                parts.append(np.stack([np.nan_to_num(found), np.isnan(found)], 1).astype(np.float32))
            else:
                known = self._values[column.name]
                places = frame[column.name].astype(object).map(_word).map(known).fillna(len(known)).to_numpy(np.int64)
                parts.append(np.eye(len(known) + 1, dtype=np.float32)[places])
        whole = np.concatenate(parts, 1) if parts else np.zeros((len(frame), 0), np.float32)
        return whole


def _word(value: object) -> str:
    """Equal for equal values of any type, 1 and 1.0 and True among them; "" for what is missing."""
    if value is None or value != value:
        return ""
    if isinstance(value, int | float | np.integer | np.floating | np.bool_):
        return f"{float(value):.12g}"
    return f"={value}"
