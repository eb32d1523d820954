"""Views: what a report draws of a table, as plain values: how columns are distributed, and how they hang together.

Sums over rows alone: no value but the most frequent words of a column, no row, shares to three decimals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.metrics.tables.columns import codes, compared, is_number, numbers
from zerosum.metrics.tables.quality import associations
from zerosum.metrics.tables.sides import Sides
from zerosum.tables.schema import Column

if TYPE_CHECKING:
    from pandas import Series

COLUMNS = 40
"""Columns that are shown, at most."""

BINS = 24
WORDS = 10
MISSING = "(missing)"
WIDTH = 24
"""Letters of a name or a word that are shown."""


def views(sides: Sides) -> dict[str, Any]:
    """JSON values: "columns", each with its "name" and the "real" and "made" shares of its "words" or between its "edges";

    "names", "real" and "made" of "pairs": Pearson's correlation of two numbers, Cramér's V of all others, in [-1, 1].
    """
    columns = [column for column in compared(sides.schema) if column.name in sides.made][:COLUMNS]
    shown = [_view(column, sides.real[column.name], sides.made[column.name]) for column in columns]
    pairs = [np.round(associations(side, columns), 3).tolist() for side in (sides.real, sides.made)]
    names = [_short(column.name) for column in columns]
    return {"columns": shown, "pairs": {"names": names, "real": pairs[0], "made": pairs[1]}, "rows": len(sides.made)}


def _view(column: Column, real: Series, made: Series) -> dict[str, Any]:
    if is_number(column) and real.nunique() > WORDS:
        values = [numbers(side, column) for side in (real, made)]
        known = values[0][~np.isnan(values[0])]
        low, high = np.quantile(known, [0.005, 0.995])
        if not low < high:
            low, high = known.min(), known.max()
        edges = np.linspace(low, high, BINS + 1)
        if column.kind == "integer":  # as many whole numbers in each bin, or the drawing is a comb
            step = np.ceil((high - low + 1) / BINS)
            edges = np.arange(np.floor(low), high + step, step) - 0.5
            low, high = edges[0], edges[-1]
        inside = [np.histogram(np.clip(side[~np.isnan(side)], low, high), edges)[0] / len(side) for side in values]
        missing = [float(np.isnan(side).mean()) for side in values]
        shares = {name: [*np.round(one, 3).tolist()] for name, one in zip(("real", "made"), inside, strict=True)}
        gone = dict(zip(("real_missing", "made_missing"), np.round(missing, 3).tolist(), strict=True))
        return {"name": _short(column.name), "edges": edges.tolist(), "time": column.kind == "datetime", **shares, **gone}
    found = codes(real, made)
    size = 1 + max(int(side.max(initial=0)) for side in found)
    counts = [np.bincount(side, minlength=size) / max(1, len(side)) for side in found]
    value = dict(zip(found[0], real, strict=True)) | dict(zip(found[1], made, strict=True))
    often = [int(code) for code in np.argsort(-counts[0] - 1e-9 * counts[1], kind="stable")[:WORDS] if code in value]
    if is_number(column):
        often.sort(key=lambda code: (code == 0, float(value[code]) if code and column.kind != "datetime" else 0))
    words = [MISSING if code == 0 else _short(str(value[code])) for code in often]
    shares = {name: [float(one[code]) for code in often] for name, one in zip(("real", "made"), counts, strict=True)}
    if len(often) < len(value):
        words.append("(all others)")
        shares = {name: [*one, 1 - sum(one)] for name, one in shares.items()}
    return {"name": _short(column.name), "words": words, **{name: np.round(one, 3).tolist() for name, one in shares.items()}}


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
