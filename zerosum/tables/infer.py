"""What the columns of a table are, as far as the values tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.errors import UserError, suggest
from zerosum.tables import keys
from zerosum.tables.choices import countable
from zerosum.tables.find import find
from zerosum.tables.schema import Column, Schema

if TYPE_CHECKING:
    import pandas as pd

DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
FORMATS = (*DAYS, "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M")
KEY_NAME = re.compile(r"(^|_|\b)(id|ids|key|uuid|guid|index|udi|rowid|row_id|pk)($|_|\b)|[a-z](Id|ID)$", re.I)
LEAST_KEYS = 10
"""Values that must all differ before a column is taken for a key."""
SPIKE = 0.03
"""Share of rows from which on one value of a continuous column stands for itself."""


def infer(frame: pd.DataFrame, target: str | None = None) -> Schema:
    """The schema of a table. `target`: the column that is to be predicted.

    Raises UserError for an empty table, one row, two columns of one name, mixed types, infinities, an unknown target.
    """
    checked(frame)
    columns = tuple(_column(str(name), frame.iloc[:, i]) for i, name in enumerate(frame.columns))
    if all(column.kind in ("id", "constant") for column in columns):
        raise UserError("no column to learn from: all are keys, constants or empty; give a table with values that vary")
    schema = Schema(columns, target=target)
    if target is not None and schema[target].kind in ("id", "constant"):
        raise UserError(f"target {target} is a column of kind {schema[target].kind}: name one that can be predicted")
    return Schema(columns, find(frame, schema), target)


def healthy(frame: pd.DataFrame, target: str | None = None) -> None:
    """Raise UserError where a whole table, before it is split, has no use, or no such target; what is found is let go."""
    checked(frame)
    names = [str(name) for name in frame.columns]
    if target is not None and target not in names:
        raise UserError(f"no column {target}: {suggest(target, names)}")
    for i, name in enumerate(names):
        _column(name, frame.iloc[:, i])


def checked(frame: pd.DataFrame) -> None:
    """Raise UserError where a table has no use: no rows, one row, no columns, two columns of one name."""
    names = [str(name) for name in frame.columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"two columns are called {twice[0]}: rename one")
    if not names or len(frame) == 0:
        raise UserError(f"an empty table: {len(frame)} rows and {len(names)} columns; give one with rows and a header")
    if len(frame) < 2:
        raise UserError("a table of one row: there is nothing to learn; give at least 2 rows, and hundreds to be of use")


def _column(name: str, series: pd.Series) -> Column:
    import pandas as pd

    dtype, gone = str(series.dtype), series.isna()
    known = series[~gone]
    nulls: dict[str, Any] = {"dtype": dtype, "nulls": bool(gone.any())}
    if len(known) == 0:
        return Column(name=name, kind="constant", **nulls)
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _declared(name, series, nulls)
    if len(known) == len(series) and (known == known.iloc[0]).all():
        return Column(name=name, kind="constant", **nulls)
    if pd.api.types.is_bool_dtype(series.dtype):
        return Column(name=name, kind="boolean", **nulls)
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return Column(name=name, kind="datetime", **nulls)
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_complex_dtype(series.dtype):
        return _number(name, known, nulls)
    within = pd.api.types.infer_dtype(known, skipna=True)
    if within == "boolean":
        return Column(name=name, kind="boolean", **nulls)
    if within in ("integer", "floating", "mixed-integer-float"):
        return _number(name, pd.to_numeric(known), nulls)
    if within == "string":
        return _text(name, known, nulls)
    if within in ("mixed", "mixed-integer"):
        types = sorted({type(value).__name__ for value in known})
        row = int(np.flatnonzero([type(value).__name__ == types[-1] for value in known])[0])
        where = f"row {known.index.get_loc(known.index[row]) + 1}: {str(known.iloc[row])[:30]!r}"
        raise UserError(f"column {name} mixes {' and '.join(types)} ({where}): bring it to one type, such as text")
    raise UserError(f"column {name} holds values of type {within}: bring it to numbers, text or datetime64")


def _declared(name: str, series: pd.Series, nulls: dict[str, Any]) -> Column:
    categories = list(series.cat.categories)
    if not all(isinstance(value, str | int | float | bool | np.number | np.bool_) for value in categories):
        raise UserError(f"column {name}: categories of type {type(categories[0]).__name__}: bring them to text")
    known = series.dropna()
    if len(known) >= LEAST_KEYS and known.nunique() > 0.95 * len(known):
        return Column(name=name, kind="id", format=keys.form([str(value) for value in known], name), **nulls)
    if series.cat.ordered:
        return Column(name=name, kind="ordinal", order=tuple(str(value) for value in categories), **nulls)
    return Column(name=name, kind="categorical", **nulls)


def _number(name: str, known: pd.Series, nulls: dict[str, Any]) -> Column:
    values = known.to_numpy(dtype=np.float64)
    if np.isinf(values).any():
        raise UserError(
            f"column {name} holds infinity in {int(np.isinf(values).sum()):,} rows: write numbers, or leave them empty"
        )
    distinct, counts = np.unique(values, return_counts=True)
    whole = bool((values == np.rint(values)).all())
    if whole and len(distinct) == 2 and max(abs(distinct)) <= 2:  # 0 and 1, 1 and 2, -1 and 1: a flag
        return Column(name=name, kind="boolean", **nulls)
    if whole and not nulls["nulls"] and len(distinct) == len(values) >= LEAST_KEYS:
        counted = distinct[-1] - distinct[0] < 2 * len(distinct)  # some numbers are missing: those of held-out rows
        if counted or KEY_NAME.search(name):
            return Column(name=name, kind="id", **nulls)
    special = () if countable(values) else _spikes(distinct, counts)
    if whole:
        return Column(name=name, kind="integer", special=special, **nulls)
    return Column(name=name, kind="continuous", decimals=_decimals(distinct), special=special, **nulls)


def _decimals(values: np.ndarray) -> int | None:
    """Places after the point that all values have at most; None beyond 8."""
    close = lambda places: np.allclose(values, np.round(values, places), rtol=1e-12, atol=10.0 ** -(places + 4))
    return next((places for places in range(1, 9) if close(places)), None)


def _spikes(values: np.ndarray, counts: np.ndarray) -> tuple[float, ...]:
    """Values that at least 3 % of the rows share, and five times as many as the median value has."""
    high = (counts >= SPIKE * counts.sum()) & (counts >= 10) & (counts >= 5 * np.median(counts))
    return tuple(float(value) for value in values[high])


def _text(name: str, known: pd.Series, nulls: dict[str, Any]) -> Column:
    import pandas as pd

    some = known.drop_duplicates()
    for format in FORMATS:
        if pd.to_datetime(some.iloc[:100], format=format, errors="coerce").notna().all():
            parsed = pd.to_datetime(some, format=format, errors="coerce")
            if parsed.notna().all() and (parsed.dt.strftime(format) == some).all():
                return Column(name=name, kind="datetime", format=format, **nulls)
    if len(some) == 1 and not nulls["nulls"]:
        return Column(name=name, kind="constant", **nulls)
    if len(known) >= LEAST_KEYS and len(some) > 0.95 * len(known):
        return Column(name=name, kind="id", format=keys.form(list(known), name), **nulls)
    return Column(name=name, kind="categorical", **nulls)
