"""Which values a column has, and how many rows have each: a histogram with noise, of which only what is frequent is told.

The stable histogram of Korolova et al. 2009, "Releasing Search Queries and Clicks Privately", with Gaussian noise: a value that
no other row has is told with a chance of delta at most, so that its name gives nobody away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from zerosum.private.key import Key
from zerosum.private.ledger import Read
from zerosum.tables.plain import missing


@dataclass(frozen=True)
class Told:
    """A column's frequent values and about how many rows have each, most frequent first; `null`: rows without a value."""

    counts: Mapping[Any, float]
    null: float | None = None  # None: not told to have any

    @property
    def rows(self) -> float:
        """About how many rows these are."""
        return sum(self.counts.values()) + (self.null or 0.0)


def tell(
    plain: Mapping[str, np.ndarray], known: Mapping[str, tuple[Any, ...]], noise: float, delta: float, key: Key
) -> tuple[dict[str, Told], Read]:
    """What may be told of the plain values of each column, and what it costs.

    `known`: values of a column that the user named; their names are free and all are told. `noise`: over the sensitivity, which
    is the root of the number of columns, for a row is counted once in each.
    """
    sensitivity = max(1, len(plain)) ** 0.5
    sigma = noise * sensitivity
    least = 1 + sigma * float(norm.isf(delta / max(1, len(plain))))
    told = {name: _column(values, known.get(name, ()), sigma, least, key, name) for name, values in plain.items()}
    guessed = any(name not in known for name in plain)
    how = f"Gaussian histograms, told from {least:.0f} rows on" if guessed else "Gaussian histograms"
    return told, Read("values of columns, and how frequent they are", how, noise, sensitivity, 1, delta=delta)


def _column(values: np.ndarray, known: tuple[Any, ...], sigma: float, least: float, key: Key, name: str) -> Told:
    import pandas as pd

    gone = missing(values)
    counts = pd.Series(values[~gone]).value_counts()
    if known:
        counts = counts.reindex(list(known), fill_value=0)
    counts = counts.sort_index() if values.dtype == np.float64 else counts.sort_index(key=lambda index: index.map(str))
    noisy = counts.to_numpy(np.float64) + sigma * key.normal((len(counts),), "values", name)
    null = int(gone.sum()) + sigma * float(key.normal((1,), "nulls", name)[0]) if gone.any() else 0.0
    pairs = [(_scalar(value), float(count)) for value, count in zip(counts.index, noisy, strict=True)]
    kept = sorted((pair for pair in pairs if known or pair[1] >= least), key=lambda pair: -pair[1])
    return Told({value: max(count, 1.0) for value, count in kept}, null if null >= least else None)


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
