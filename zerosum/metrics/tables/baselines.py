"""Generators that everything else must beat: tables from a training table, without any network.

Each takes a DataFrame and gives n rows of the same columns, types and missing values; the same rows for the same seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zerosum.metrics.tables.columns import compared, is_number, numbers, some
from zerosum.tables.schema import Column, Schema

if TYPE_CHECKING:
    from pandas import DataFrame, Series

FITTED = 10_000
"""Rows that a copula is fitted to, at most."""


def independent(train: DataFrame, schema: Schema, n: int, seed: int = 0) -> DataFrame:
    """Each column drawn from its own values: every column's law, and nothing of how columns hang together."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    columns = [train[name].iloc[rng.integers(len(train), size=n)].reset_index(drop=True) for name in train]
    return pd.concat(columns, axis=1)


def copies(train: DataFrame, schema: Schema, n: int, seed: int = 0) -> DataFrame:
    """Rows of the table itself, drawn with replacement (Efron 1979): as good as it gets, and no secret is kept."""
    return train.iloc[np.random.default_rng(seed).integers(len(train), size=n)].reset_index(drop=True)


def copula(train: DataFrame, schema: Schema, n: int, seed: int = 0) -> DataFrame:
    """A Gaussian copula: every column's own law, and between columns the correlation of their normal scores alone.

    A column's values are put in an order (numbers and times by size, an ordinal's as the schema says, all others by how
    frequent they are). A row's place in that order, equal values in random order, becomes a normal score; a draw goes back
    to the value at its place. Whether a value is missing is one more column. Nelsen 2006, "An Introduction to Copulas",
    section 2.3 (Sklar), and for discrete columns Rüschendorf 2009, "On the distributional transform".
    """
    import pandas as pd
    from scipy.special import ndtr, ndtri

    rng = np.random.default_rng(seed)
    fitted = some(train, FITTED, seed)
    latent: dict[tuple[str, bool], np.ndarray] = {}  # normal scores, by column and whether of its being there
    orders: dict[tuple[str, bool], np.ndarray] = {}
    for column in [schema[name] for name in fitted if schema[name] in compared(schema)]:
        there = fitted[column.name].notna().to_numpy()
        known = np.flatnonzero(there)
        if len(known):
            orders[column.name, False] = known[_order(fitted[column.name].iloc[known], column, rng)]
        if len(known) < len(there):
            orders[column.name, True] = np.lexsort([rng.random(len(there)), there])
    for key, order in orders.items():
        latent[key] = np.full(len(fitted), np.nan)
        latent[key][order] = ndtri((np.arange(len(order)) + 0.5) / len(order))
    root = _root(pd.DataFrame(latent).corr().fillna(0).to_numpy()) if latent else np.zeros((0, 0))
    places = dict(zip(latent, ndtr(rng.standard_normal((n, len(latent))) @ root).T, strict=True))
    made = []
    for name in train:
        rows = rng.integers(len(fitted), size=n)  # of keys and constants, and of what is missing throughout
        for key in ((name, False), (name, True)):
            if key in orders:
                drawn = orders[key][np.minimum((places[key] * len(orders[key])).astype(np.int64), len(orders[key]) - 1)]
                rows = np.where(fitted[name].notna().to_numpy()[drawn], rows, drawn) if key[1] else drawn
        made.append(fitted[name].iloc[rows].reset_index(drop=True))
    return pd.concat(made, axis=1)


def _root(correlation: np.ndarray) -> np.ndarray:
    """A matrix whose rows, times standard normal numbers, have the nearest correlation that there can be; diagonal 1."""
    np.fill_diagonal(correlation, 1)
    weights, axes = np.linalg.eigh(correlation)
    root = axes * np.sqrt(np.maximum(weights, 0))
    return (root / np.maximum(np.linalg.norm(root, axis=1, keepdims=True), 1e-12)).T


def _order(values: Series, column: Column, rng: np.random.Generator) -> np.ndarray:
    """int64 [n]: the rows from the least value to the greatest, equal ones in random order."""
    import pandas as pd

    luck = rng.random(len(values))
    if is_number(column):
        return np.lexsort([luck, numbers(values, column)])
    code, found = pd.factorize(values.astype(object))
    if column.order:
        known = {value: i for i, value in enumerate(column.order)}
        rank = np.array([known.get(str(value), len(known)) for value in found], np.int64)
    else:
        rank = np.argsort(np.lexsort([np.array([str(value) for value in found]), -np.bincount(code, minlength=len(found))]))
    return np.lexsort([luck, rank[code]])
