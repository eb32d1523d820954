"""A form for rows that are what was asked: what each column of a table can be asked for, and what came back, as `where`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field

from zerosum.errors import UserError
from zerosum.tables.choices import Choice
from zerosum.tables.codec import Codec
from zerosum.tables.modes import Modes
from zerosum.tables.plain import is_number
from zerosum.tables.schema import Column

FEW = 12
"""Values up to which each has a box to be ticked."""
MOST = 300
"""Values that are listed; more can be typed."""


class Asked(BaseModel):
    """What one column is asked to be: one of `values` (None: missing), or between `low` and `high`."""

    values: Annotated[list[str | float | bool | None], Field(max_length=MOST)] | None = None
    low: str | float | None = None
    high: str | float | None = None


def fields(codec: Codec) -> list[dict[str, Any]]:
    """What the form shows for each column, in order; keys and constants are left out, for they cannot be asked.

    `ask`: "values" (tick some of `values`), "word" (type one; `values` are proposals), "number" or "date" (`low` to `high`).
    """
    return [found for column in codec.schema.columns if (found := _field(codec, column)) is not None]


def _field(codec: Codec, column: Column) -> dict[str, Any] | None:
    if column.kind in ("id", "constant"):
        return None
    coder, values = codec.coders.get(column.name), _values(codec, column)
    found = {"name": column.name, "kind": column.kind, "missing": column.nulls}
    if is_number(column) and (len(values) > FEW or not values):
        low, high = (coder.low, coder.high) if isinstance(coder, Modes) else (min(values), max(values)) if values else ("", "")
        if column.kind == "datetime":
            low, high = _day(low), _day(high)
        return found | {"ask": "date" if column.kind == "datetime" else "number", "low": low, "high": high}
    words = [_word(value, column) for value in values]
    return found | {"ask": "values" if len(words) <= FEW else "word", "values": words[:MOST], "more": max(0, len(words) - MOST)}


def _values(codec: Codec, column: Column) -> list[Any]:
    """The values that a column has, where they are so few that they are kept by name."""
    coder = codec.coders.get(column.name)
    if isinstance(coder, Choice):
        return [*coder.values, *(value for bucket in coder.tail for value in bucket)]
    if column.name in codec.decided:
        known = dict.fromkeys(codec.decided[column.name][1].values())
        return [value for value in known if value is not None and value == value]
    return []


def _word(value: Any, column: Column) -> str:
    if column.kind == "boolean" and isinstance(value, int | float):
        return "true" if value else "false"
    if column.kind == "datetime":
        return _day(value)
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _day(seconds: Any) -> str:
    return str(np.datetime64(round(seconds), "s"))[:10] if isinstance(seconds, int | float) else ""


def where(asked: Mapping[str, Asked]) -> dict[str, Any]:
    """What the form sent, as `zerosum.conditions` takes it. Raises UserError where a column is asked nothing, or a number
    is none."""
    found: dict[str, Any] = {}
    for name, one in asked.items():
        if any(isinstance(value, float) and not math.isfinite(value) for value in (one.low, one.high, *(one.values or ()))):
            raise UserError(f"where {name}: give numbers that are finite")
        if one.values:
            found[name] = list(one.values)
        elif one.low is not None or one.high is not None:
            found[name] = (one.low, one.high)
        else:
            raise UserError(f"where {name}: give values, or a least or greatest one")
    return found
