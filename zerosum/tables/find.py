"""What holds between columns in every row, found where it is too regular to be chance.

function     {"kind": "function", "of": A, "is": B}: A's value decides B's
linear       {"kind": "linear", "of": A, "is": B, "factor": k, "plus": c}: B = k A + c; a copy has k = 1 and c = 0
inequality   {"kind": "inequality", "low": A, "high": B}: A <= B
never        {"kind": "never", "columns": [A, B]}: pairs of values that ought to be frequent and never were seen
combinations {"kind": "combinations", "columns": [A, B]}: only pairs of values that were seen; never found, only asked for
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.tables.choices import countable
from zerosum.tables.plain import is_number, to_plain
from zerosum.tables.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

ROWS_A_VALUE = 10
"""Rows a value of A must have on average before A -> B is believed."""
EXPECTED = 20.0
"""Rows in which independent columns would show a pair (or an inequality its violation) that never came."""
MOST = 1000
"""Values of a column, above which it takes part in no pair."""
GLANCE = 2000
SAMPLE = 50_000


def find(frame: pd.DataFrame, schema: Schema) -> tuple[dict[str, Any], ...]:
    """What holds between the columns of a table."""
    known = [column for column in schema.columns if column.kind not in ("id", "constant")]
    plain = {column.name: to_plain(frame.iloc[:, i], column) for i, column in enumerate(schema.columns) if column in known}
    codes = {name: _codes(values) for name, values in plain.items()}
    small = lambda name: plain[name].dtype == object or countable(plain[name])
    most = min(MOST, len(frame) / ROWS_A_VALUE)
    few = {name: one for name, one in codes.items() if 2 <= one.max() + 1 <= most and small(name)}
    functions = _functions(few, schema.target)
    free = [name for name in few if name not in {one["is"] for one in functions}]
    numbers = [c.name for c in known if is_number(c) and c.kind != "boolean" and c.name not in {f["is"] for f in functions}]
    times = {c.name for c in known if c.kind == "datetime"}
    linear = _linear({name: plain[name] for name in numbers}, schema.target)
    numbers = [name for name in numbers if name not in {one["is"] for one in linear}]
    unequal = [
        {"kind": "inequality", "low": a, "high": b}
        for one in combinations(numbers, 2)
        for a, b in (one, one[::-1])
        if (a in times) == (b in times) and _ordered(plain[a], plain[b])
    ]
    ordered = {frozenset((one["low"], one["high"])) for one in unequal}
    gone = {one["is"] for one in linear}
    free = [name for name in free if name not in gone]
    discrete = [c.name for c in known if c.name in free and (not is_number(c) or c.kind == "boolean" or few[c.name].max() < 30)]
    never = [
        {"kind": "never", "columns": [a, b]}
        for a, b in combinations(discrete, 2)
        if frozenset((a, b)) not in ordered and absent(few[a], few[b]).any()
    ]
    return (*functions, *linear, *unequal, *never)


def _codes(values: np.ndarray) -> np.ndarray:
    import pandas as pd

    return pd.factorize(values, use_na_sentinel=False)[0]


def _functions(codes: dict[str, np.ndarray], target: str | None) -> list[dict[str, Any]]:
    """A chain a -> b -> c is told as a -> b, a -> c, so that no decided column decides another."""
    names = sorted(codes, key=lambda name: (-codes[name].max(), name != target))
    found: list[dict[str, Any]] = []
    decided: set[str] = set()
    for a in names:
        for b in names:
            if a != b and a not in decided and b not in decided and b != target and _decides(codes[a], codes[b]):
                found.append({"kind": "function", "of": a, "is": b})
                decided.add(b)
    return found


def _decides(a: np.ndarray, b: np.ndarray) -> bool:
    if a.max() < b.max():
        return False
    for rows in (slice(GLANCE), slice(None)):
        pairs = np.unique(a[rows].astype(np.int64) * (b.max() + 1) + b[rows])
        if len(pairs) != len(np.unique(a[rows])):
            return False
    rest = len(b) - np.bincount(b).max()
    return bool(rest >= ROWS_A_VALUE)  # of a column that is nearly constant everything is a function


def _linear(plain: dict[str, np.ndarray], target: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    decided: set[str] = set()
    for a, b in combinations(sorted(plain, key=lambda name: name != target), 2):
        if a not in decided and b not in decided and (line := line_through(plain[a], plain[b])):
            found.append({"kind": "linear", "of": a, "is": b, "factor": line[0], "plus": line[1]})
            decided.add(b)
    return found


def line_through(a: np.ndarray, b: np.ndarray) -> tuple[float, float] | None:
    """(factor, plus) with b = factor * a + plus in every row, in as few figures as do; None where there is no such line."""
    known = np.flatnonzero(~np.isnan(a))
    if len(known) < 10 or len(np.unique(a[known[:GLANCE]])) < 3:
        return None
    low, high = known[a[known].argmin()], known[a[known].argmax()]
    factor = (b[high] - b[low]) / (a[high] - a[low])
    if not np.isfinite(factor) or factor == 0:
        return None
    for figures in (4, 6, 12):
        slope = float(f"{factor:.{figures}g}")
        plus = float(f"{b[low] - slope * a[low]:.{figures + 2}g}")
        if follows(a, b, slope, plus):
            return slope, plus
    return None


def follows(a: np.ndarray, b: np.ndarray, factor: float, plus: float) -> bool:
    """Whether b = factor * a + plus wherever either is there, but for rounding."""
    size = max(1e-300, float(np.nanmax(np.abs(b), initial=0)))
    return bool(np.allclose(factor * a + plus, b, rtol=1e-9, atol=1e-9 * size, equal_nan=True))


def _ordered(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether a <= b in every row that has both, where strangers would break it often."""
    both = ~(np.isnan(a) | np.isnan(b))
    a, b = a[both], b[both]
    if len(a) < 100 or (a > b).any() or (a == b).all():
        return False
    rows = np.random.default_rng(0).permutation(len(a))[:SAMPLE]
    share = (a[rows] > b[np.random.default_rng(1).permutation(len(a))[: len(rows)]]).mean()
    return bool(share >= 0.01 and share * len(a) >= EXPECTED)


def absent(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pairs of codes that were never seen and of which independent columns would show at least 20, bool [values, values]."""
    width = int(b.max()) + 1
    seen = np.bincount(a.astype(np.int64) * width + b, minlength=(int(a.max()) + 1) * width).reshape(-1, width)
    expected = seen.sum(1)[:, None] * seen.sum(0)[None] / len(a)
    return (seen == 0) & (expected >= EXPECTED)
