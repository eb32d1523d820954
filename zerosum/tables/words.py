"""What is known of a table's columns, in words, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.tables.choices import LEAST
from zerosum.tables.codec import Codec
from zerosum.tables.modes import Modes
from zerosum.tables.schema import Column

if TYPE_CHECKING:
    import pandas as pd


def words(codec: Codec, frame: pd.DataFrame | None = None) -> list[str]:
    """The columns with their kinds, nulls and how each is modelled; constraints; what to mind. Without a frame: what the
    codec tells alone."""
    columns = codec.schema.columns
    longest = min(30, max(len(column.name) for column in columns))
    said = [
        f"column    {one.name:{longest}}  {one.kind:11}  {_nulls(frame, i)}{_how(codec, one)}" for i, one in enumerate(columns)
    ]
    said += [f"holds     {constraint(dict(one))}" for one in codec.schema.constraints]
    if codec.schema.target is not None:
        said.append(f"target    {codec.schema.target}")
    if frame is None:
        return said
    for i, one in enumerate(columns):
        series = frame.iloc[:, i]
        if one.kind == "constant" and series.isna().all():
            said.append(f"warning   column {one.name} is empty: it comes back empty; drop it, or fill it, if that is not meant")
        named = one.kind in ("categorical", "ordinal") and one.name in codec.coders
        if named and (single := int((series.value_counts() < LEAST).sum())):
            what = "value that one row alone has is" if single == 1 else "values that one row alone has are"
            said.append(f"note      column {one.name}: {single:,} {what} not kept, and will not be sampled")
    if len(frame) < 500:
        said.append(f"warning   {len(frame):,} rows are few to train on: a GAN may learn them by heart")
    return said


def constraint(one: dict[str, Any]) -> str:
    """A constraint in words."""
    if one["kind"] == "function":
        return f"{one['of']} decides {one['is']}"
    if one["kind"] == "linear":
        plus = f" + {one['plus']:g}" if one["plus"] else ""
        return f"{one['is']} = {one['factor']:g} x {one['of']}{plus}"
    if one["kind"] == "inequality":
        return f"{one['low']} <= {one['high']}"
    a, b = one["columns"]
    return f"{a} and {b}: some pairs of values never come" if one["kind"] == "never" else f"{a} and {b}: seen pairs only"


def _nulls(frame: pd.DataFrame | None, place: int) -> str:
    if frame is None:
        return ""
    share = float(frame.iloc[:, place].isna().mean())
    return f"{100 * share:.1f} % missing, " if share else ""


def _how(codec: Codec, column: Column) -> str:
    if column.kind == "id":
        return "made anew, none kept" + (f" (form {column.format})" if column.format else "")
    if column.kind == "constant":
        return "one value"
    if column.name in codec.scaled:
        return f"follows from {codec.scaled[column.name][0]}"
    if column.name in codec.decided:
        return f"follows from {codec.decided[column.name][0]}"
    coder = codec.coders[column.name]
    if isinstance(coder, Modes):
        special = f" and {len(coder.special)} special value{'s' * (len(coder.special) > 1)}" if coder.special else ""
        squeezed = ", heavy tails squeezed" if coder.squeeze else ""
        ends = [
            str(np.datetime64(round(end), "s")) if column.kind == "datetime" else f"{end:g}" for end in (coder.low, coder.high)
        ]
        modes = f"{len(coder.centres)} mode{'' if len(coder.centres) == 1 else 's'}"
        return f"{modes}{special} within {' to '.join(ends)}{squeezed}"
    if coder.tail:
        rest = sum(map(len, coder.tail))
        return f"{len(coder.values)} frequent values, {rest:,} others in {len(coder.tail)} buckets"
    return f"{len(coder.values)} values"
