"""The codec of a table's columns, of what private mechanisms told of them and of nothing else.

Columns' names, their types (number, text, true or false, date) and the number of rows are taken as public, and so is whatever
the user wrote into a schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.errors import UserError
from zerosum.private.accountant import single
from zerosum.private.budget import Budget
from zerosum.private.grid import Bins, lay
from zerosum.private.ledger import Ledger
from zerosum.private.values import Told, tell
from zerosum.tables.choices import Choice
from zerosum.tables.codec import Codec
from zerosum.tables.fit import agree
from zerosum.tables.modes import Modes
from zerosum.tables.plain import is_number, to_plain
from zerosum.tables.schema import Column, Schema
from zerosum.tables.span import Span

if TYPE_CHECKING:
    import pandas as pd

VALUES, GRID = 0.1, 0.1
"""Shares of the budget (of what one Gaussian mechanism would spend) for values, and for the grid of numbers."""
THRESHOLD = 0.1
"""Share of delta for names of values."""
COVERED = 0.97
"""Share of a number column's rows that told values must have, for the column to be a choice among them."""
SPIKE = 0.03
"""Share of the rows from which on a told number stands for itself beside the bins."""
READ_FREELY = ("function", "never", "combinations")
"""Constraints whose tables would be read off the rows."""


def public_schema(frame: pd.DataFrame, target: str | None) -> Schema:
    """A schema of column types alone: no row has a say in it."""
    import pandas as pd

    kinds = pd.api.types
    columns = []
    for place, label in enumerate(frame.columns):
        dtype = frame.dtypes.iloc[place]
        if kinds.is_bool_dtype(dtype):
            kind: Any = "boolean"
        elif kinds.is_datetime64_any_dtype(dtype):
            kind = "datetime"
        elif kinds.is_numeric_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
            kind = "integer" if kinds.is_integer_dtype(dtype) else "continuous"
        else:
            kind = "categorical"
        columns.append(Column(name=str(label), kind=kind, dtype=str(dtype)))
    schema = Schema(tuple(columns), target=target)
    if target is not None:
        schema[target]  # there is such a column
    return schema


def fit(frame: pd.DataFrame, schema: Schema, budget: Budget) -> tuple[Codec, Ledger]:
    """The codec of training rows, and the ledger so far. Raises UserError where a schema asks to read what costs nothing."""
    places = agree(frame, schema)
    if barred := [one["kind"] for one in schema.constraints if one["kind"] in READ_FREELY]:
        raise UserError(f"constraint {barred[0]}: its table would be read off rows without noise: take it out")
    one = single(budget.epsilon, (1 - THRESHOLD) * budget.delta)
    scaled = {c["is"]: (c["of"], float(c["factor"]), float(c["plus"])) for c in schema.constraints if c["kind"] == "linear"}
    modelled = [c for c in schema.columns if c.kind != "id" and c.name not in scaled]
    plain = {c.name: to_plain(frame.iloc[:, places[c.name]], c) for c in modelled}
    known = {c.name: _named(c) for c in modelled if c.order or c.kind == "boolean"}
    told, values = tell(plain, known, one / VALUES**0.5, THRESHOLD * budget.delta, budget.key)
    ledger = Ledger(budget.epsilon, budget.delta).plus(values)
    numbers = [c for c in modelled if is_number(c) and not _covered(told[c.name], known.get(c.name), len(frame))]
    spikes = {c.name: _spikes(told[c.name], len(frame), c) for c in numbers}
    rest = {name: np.where(np.isin(plain[name], spike), np.nan, plain[name]) for name, spike in spikes.items()}
    bounds = {c.name: (c.low, c.high) for c in numbers if c.low is not None and c.high is not None}
    bins, read = lay(rest, bounds, one / GRID**0.5, budget.key)
    ledger = ledger.plus(read) if numbers else ledger
    coders: dict[str, Choice | Modes] = {}
    unknown = []
    for c in modelled:
        if c.name in bins:
            coders[c.name] = _modes(c, bins[c.name], spikes[c.name], told[c.name])
        elif told[c.name].counts:
            coders[c.name] = _choice(c, told[c.name])
        else:
            unknown.append(c.name)
    if schema.target in unknown:
        raise UserError(
            f"target {schema.target}: no value is frequent enough to be told at epsilon {budget.epsilon:g} among "
            f"{len(frame):,} rows: name its values in a schema (order), which costs nothing, or raise epsilon"
        )
    if len(coders) < 2:
        raise UserError(
            f"{len(frame):,} rows are too few at epsilon {budget.epsilon:g}: nearly no column has a value that is frequent "
            "enough to be told: name values (order) and bounds (low, high) in a schema, which costs nothing, or raise epsilon"
        )
    columns = tuple(_described(c, unknown, told, c.name in bins) for c in schema.columns)
    constraints = tuple(c for c in schema.constraints if set(_mentioned(c)) <= set(coders))
    labels = tuple(_label(frame.columns[places[c.name]]) for c in columns)
    spans = _spans(Schema(columns, target=schema.target), coders, told, bins)
    fixed = {c.name: 0.0 for c in columns if c.kind == "id" and not c.format}
    categories = {
        c.name: coders[c.name].values  # type: ignore[union-attr]
        for c in columns
        if c.dtype == "category" and isinstance(coders.get(c.name), Choice)
    }
    kept = Schema(columns, constraints, schema.target)
    scaled = {name: line for name, line in scaled.items() if line[0] in coders}
    return Codec(kept, coders, spans, labels, fixed, {}, scaled, (), categories, ()), ledger


def _named(column: Column) -> tuple[Any, ...]:
    if column.kind == "boolean" and not column.order:
        return (0.0, 1.0)
    return tuple(float(value) for value in column.order) if is_number(column) else column.order


def _covered(told: Told, known: tuple[Any, ...] | None, rows: int) -> bool:
    """Whether a number column is a choice among its told values."""
    return known is not None or (bool(told.counts) and told.rows >= COVERED * rows)


def _spikes(told: Told, rows: int, column: Column) -> tuple[float, ...]:
    frequent = [value for value, count in told.counts.items() if count >= SPIKE * rows]
    return tuple(sorted({*map(float, frequent), *column.special}))


def _choice(column: Column, told: Told) -> Choice:
    names = column.order if column.order and not is_number(column) else tuple(told.counts)
    values = tuple(sorted(map(float, names))) if is_number(column) else names
    return Choice(values, told.null is not None, number=is_number(column))


def _modes(column: Column, bins: Bins, spikes: tuple[float, ...], told: Told) -> Modes:
    """Bins as modes that do not overlap: a place in [-1, 1] within each."""
    shift = 0.5 if column.kind == "integer" and not (column.low is not None and column.high is not None) else 0.0
    edges = np.array(bins.edges) - shift  # whole numbers a to b - 1 lie in [a, b)
    centres, scales = (edges[:-1] + edges[1:]) / 2, np.maximum((edges[1:] - edges[:-1]) / 2, 1e-9)
    weights = np.array(bins.counts) / sum(bins.counts)
    step = 1.0 if column.kind == "integer" else 0.0 if column.decimals is None else 10.0**-column.decimals
    ends = float(edges[0] + shift), float(edges[-1] - shift)
    low = column.low if column.low is not None else min((*spikes, ends[0]))
    high = column.high if column.high is not None else max((*spikes, ends[1]))
    law: list[tuple[float, ...]] = [tuple(map(float, part)) for part in (centres, scales, weights)]
    return Modes(law[0], law[1], law[2], low, high, told.null is not None, spikes, None, step)


def _described(column: Column, unknown: list[str], told: dict[str, Told], binned: bool) -> Column:
    """The column as it is kept: text of which nothing is frequent is made anew, as keys are."""
    if column.name in unknown:
        form = f"{column.name}-[0-9]{{6}}".replace(" ", "_") if not is_number(column) else ""
        return Column(name=column.name, kind="id", dtype=column.dtype, format=form)
    nulls = column.name in told and told[column.name].null is not None
    kind = "categorical" if column.kind == "constant" else column.kind
    return Column(**{**vars(column), "kind": kind, "nulls": nulls})


def _mentioned(constraint: dict[str, Any]) -> tuple[str, ...]:
    return (constraint["low"], constraint["high"]) if constraint["kind"] == "inequality" else (constraint["of"],)


def _label(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label


def _spans(schema: Schema, coders: dict[str, Choice | Modes], told: dict[str, Told], bins: dict[str, Bins]) -> tuple[Span, ...]:
    """Spans with the noisy counts: whatever else asks how frequent a value is gets these."""
    spans: list[Span] = []
    at = asked = 0
    for name, coder in coders.items():
        rows = told[name]
        last = [rows.null] if rows.null is not None else []
        if isinstance(coder, Modes):
            spans.append(Span(name, "number", at, 1))
            at += 1
            counts = [*bins[name].counts, *(rows.counts.get(value, 1.0) for value in coder.special), *last]
        else:
            counts = [*(rows.counts.get(value, 1.0) for value in coder.values), *last]
        direct = isinstance(coder, Choice) and (
            schema[name].kind in ("categorical", "ordinal", "boolean") or name == schema.target
        )
        whole = tuple(max(1, round(count)) for count in counts)
        spans.append(Span(name, "choice", at, coder.size, whole, asked if direct else None))
        at, asked = at + coder.size, asked + (coder.size if direct else 0)
    return tuple(spans)
