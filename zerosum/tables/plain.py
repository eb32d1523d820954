"""Columns as plain values and back: numbers as float64 with NaN where a value is missing, all else as objects with None."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.errors import UserError
from zerosum.tables.schema import Column

if TYPE_CHECKING:
    import pandas as pd

NUMERIC = ("continuous", "integer", "boolean", "datetime")
"""Kinds whose plain values are numbers: datetimes are seconds since 1970 in UTC, booleans 0 and 1."""


def is_number(column: Column) -> bool:
    """Whether plain values of the column are float64."""
    return column.kind in NUMERIC


def to_plain(series: pd.Series, column: Column) -> np.ndarray:
    """A column's plain values [n]. Raises UserError where they are not of the column's kind, or infinite."""
    try:
        values = _numbers(series, column) if is_number(column) else _objects(series)
    except (TypeError, ValueError, OverflowError) as error:
        why = str(error).split("\n")[0]
        raise UserError(f"column {column.name} is no {column.kind} column ({why}): change its kind in the schema") from error
    if is_number(column) and np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values))[0])
        raise UserError(f"column {column.name} holds infinity (row {row + 1}): write a number, or leave it empty")
    return values


def _numbers(series: pd.Series, column: Column) -> np.ndarray:
    import pandas as pd

    if column.kind != "datetime":
        return np.array(pd.to_numeric(series).to_numpy(dtype=np.float64, na_value=np.nan))
    if column.format:
        series = pd.to_datetime(series, format=column.format)
    zone = getattr(series.dtype, "tz", None)
    naive = series.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else series
    micro = naive.to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(micro), np.nan, micro.astype(np.int64) / 1e6)


def _objects(series: pd.Series) -> np.ndarray:
    values = series.astype(object).to_numpy(dtype=object, copy=True)
    values[series.isna().to_numpy()] = None
    return values


def missing(values: np.ndarray) -> np.ndarray:
    """Which plain values are missing, bool [n]."""
    import pandas as pd

    return np.asarray(pd.isna(values))


def from_plain(values: np.ndarray, column: Column, categories: tuple[Any, ...] = (), none: bool = False) -> pd.Series:
    """A column as people had it: its own dtype, from plain values. `none`: missing objects are None and not NaN."""
    import pandas as pd

    if column.kind == "datetime" and is_number(column):
        return _datetimes(values, column)
    gone = missing(values)
    if column.dtype == "category" and not categories:  # keys, constants, and what follows from another column
        return pd.Series(_as_objects(values, column, gone, none), dtype=object).astype("category")
    if column.dtype == "category":
        ordered = column.kind == "ordinal"
        plain = values if values.dtype == object else [None if np.isnan(v) else v for v in values]
        codes = pd.Index(categories).get_indexer(pd.Index(np.asarray(plain, object)))
        return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(categories), ordered=ordered))
    if column.dtype == "object":
        return pd.Series(_as_objects(values, column, gone, none), dtype=object)
    if values.dtype == np.float64:
        return _numbered(values, column, gone)
    return pd.Series(values, dtype=object).astype(column.dtype)


def _numbered(values: np.ndarray, column: Column, gone: np.ndarray) -> pd.Series:
    import pandas as pd

    kind = column.dtype.lower()
    if not kind.startswith(("int", "uint")):
        series = pd.Series(values)
        return series.astype("Float64").astype(column.dtype) if kind.startswith("boolean") else series.astype(column.dtype)
    whole = np.where(gone, 0, np.rint(values))
    bounds = np.iinfo(kind.split("[")[0])
    numbers = pd.Series(np.clip(whole, bounds.min, bounds.max).astype(kind.split("[")[0]))
    return numbers.astype(column.dtype).mask(gone) if gone.any() else numbers.astype(column.dtype)


def _as_objects(values: np.ndarray, column: Column, gone: np.ndarray, none: bool) -> np.ndarray:
    if values.dtype == object:
        out = values.copy()
    else:
        kind = {"boolean": bool, "integer": int}.get(column.kind, float)
        out = np.array([None if g else kind(v) for v, g in zip(values, gone, strict=True)], dtype=object)
    out[gone] = None if none else np.nan
    return out


def _datetimes(values: np.ndarray, column: Column) -> pd.Series:
    import pandas as pd

    gone = np.isnan(values)
    micro = np.where(gone, 0, np.rint(np.where(gone, 0, values) * 1e6)).astype(np.int64).astype("datetime64[us]")
    micro[gone] = np.datetime64("NaT")
    series = pd.Series(micro)
    if column.format:
        words = series.dt.strftime(column.format).astype(object)
        words[gone] = np.nan
        return words if column.dtype == "object" else words.astype(column.dtype)
    zone = column.dtype.partition(", ")[2].rstrip("]")
    return (series.dt.tz_localize("UTC") if zone else series).astype(column.dtype)
