"""Columns of real and generated tables as arrays that can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.tables.schema import Column, Schema

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MOST = 10_000
"""Rows of a table that are compared, at most: scores of more cost time and say little more."""


def is_number(column: Column) -> bool:
    """Whether values of this column have distances: numbers and times."""
    return column.kind in ("continuous", "integer", "datetime")


def compared(schema: Schema) -> list[Column]:
    """The columns that say something: all but keys, which are made anew, and constants."""
    return [column for column in schema.columns if column.kind not in ("id", "constant")]


def numbers(values: Series, column: Column) -> np.ndarray:
    """float64 [n]: a number's value, a time's nanoseconds; NaN where there is none, or it is not finite."""
    import pandas as pd

    if column.kind == "datetime":
        times = values if pd.api.types.is_datetime64_any_dtype(values) else _times(values, column.format)
        times = times.dt.tz_convert(None) if times.dt.tz is not None else times
        found = times.to_numpy("datetime64[ns]")
        return np.where(np.isnat(found), np.nan, found.astype(np.int64).astype(np.float64))
    found = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _times(values: Series, form: str) -> Any:
    import pandas as pd

    return pd.to_datetime(values, format=form or None, errors="coerce")


def codes(*sides: Series) -> list[np.ndarray]:
    """int64 codes of each side's values, equal for equal values of any side; 0 where there is none."""
    import pandas as pd

    whole = np.concatenate([side.astype(object).to_numpy() for side in sides])
    found = pd.factorize(whole)[0].astype(np.int64) + 1
    return np.split(found, np.cumsum([len(side) for side in sides])[:-1])


def some(frame: DataFrame, n: int = MOST, seed: int = 0) -> DataFrame:
    """Up to n of the rows, in their order, the same ones for the same seed."""
    if len(frame) <= n:
        return frame
    rows = np.sort(np.random.default_rng(seed).choice(len(frame), n, replace=False))
    return frame.iloc[rows]
