"""SMOTE: rows between a rare row and its neighbours, what most people do who have few rows of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zerosum.metrics.tables.columns import compared, is_number
from zerosum.metrics.tables.nearest import Points
from zerosum.tables.schema import Schema

if TYPE_CHECKING:
    from pandas import DataFrame

NEIGHBOURS = 5


def smote(rare: DataFrame, schema: Schema, n: int, seed: int = 0) -> DataFrame:
    """n rows like those of `rare`, which holds the rows of one class, two at least.

    Each lies between a row and one of its five nearest: a number at a random place of the way, everything else as most of the
    five have it. Chawla et al. 2002, "SMOTE: Synthetic Minority Over-sampling Technique", sections 4.2 and 6.1
    (SMOTE-NC, with Gower's distance). A number that the row lacks stays missing; where the neighbour lacks it, the row's own
    is taken.
    """
    import pandas as pd

    if len(rare) < 2:
        raise ValueError("SMOTE needs two rows")
    rng = np.random.default_rng(seed)
    nearest = _nearest(rare, schema)
    rows = rng.integers(len(rare), size=n)
    other, way = nearest[rows, rng.integers(nearest.shape[1], size=n)], rng.random(n)
    columns = []
    for name in rare:
        column = schema[str(name)]
        values = rare[name].reset_index(drop=True)
        own = values.iloc[rows].reset_index(drop=True)
        if is_number(column) and pd.api.types.is_numeric_dtype(values):
            a, b = (values.astype("Float64").to_numpy(np.float64, na_value=np.nan)[at] for at in (rows, other))
            mixed = pd.Series(np.where(np.isnan(b), a, a + way * (b - a)))
            mixed = mixed if column.kind == "continuous" and column.decimals is None else mixed.round(column.decimals or 0)
            own = mixed.astype("Float64").astype(values.dtype) if mixed.isna().any() else mixed.astype(values.dtype)
        elif column in compared(schema) and not is_number(column):
            code, known = pd.factorize(values.astype(object), use_na_sentinel=False)
            votes = np.stack([(code[nearest] == one).sum(1) for one in range(len(known))], 1)
            most = pd.Series(known[votes.argmax(1)], dtype=object).iloc[rows].reset_index(drop=True)
            own = most.where(most.notna(), None).astype(values.dtype)
        columns.append(own.rename(name))
    return pd.concat(columns, axis=1)


def _nearest(rare: DataFrame, schema: Schema) -> np.ndarray:
    """int64 [n, up to 5]: the nearest other rows of each."""
    k = min(NEIGHBOURS, len(rare) - 1)
    found = []
    for rows, distances in Points(compared(schema), rare).parts(0, 0):
        at = np.arange(rows.start, rows.stop)
        distances[np.arange(len(at)), at] = np.inf
        found.append(np.argpartition(distances, k - 1, axis=1)[:, :k])
    return np.concatenate(found)
