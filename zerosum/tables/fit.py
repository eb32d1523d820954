"""A codec made from a table's training rows and its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.errors import UserError, suggest
from zerosum.tables import keys
from zerosum.tables.choices import Choice, countable
from zerosum.tables.codec import Codec
from zerosum.tables.find import absent, follows
from zerosum.tables.infer import checked
from zerosum.tables.meet import Forbidden
from zerosum.tables.modes import Modes
from zerosum.tables.plain import is_number, to_plain
from zerosum.tables.schema import Column, Schema
from zerosum.tables.span import Span

if TYPE_CHECKING:
    import pandas as pd

ASKED = ("categorical", "ordinal", "boolean")
"""Kinds of which a condition can ask a value directly; the target's values can be asked too."""
MENTIONS = {
    "function": ("of", "is"),
    "linear": ("of", "is", "factor", "plus"),
    "inequality": ("low", "high"),
    "never": ("columns",),
    "combinations": ("columns",),
}
"""What a constraint must say."""


def fit(frame: pd.DataFrame, schema: Schema) -> Codec:
    """The codec of training rows. Raises UserError where the schema is not the table's, or says what cannot be met."""
    import pandas as pd

    checked(frame)
    places = agree(frame, schema)
    columns = {c.name: frame.iloc[:, places[c.name]] for c in schema.columns}
    plain = {c.name: to_plain(columns[c.name], c) for c in schema.columns if c.kind != "id"}
    decides = {one["is"]: one["of"] for one in schema.constraints if one["kind"] == "function"}
    scaled = {
        one["is"]: (one["of"], float(one["factor"]), float(one["plus"]))
        for one in schema.constraints
        if one["kind"] == "linear"
    }
    for name, (of, factor, plus) in scaled.items():
        if not follows(plain[of], plain[name], factor, plus):
            raise UserError(f"constraint linear: {name} is not {factor:g} times {of} plus {plus:g}: take the constraint out")
    named = {*decides.values(), *(name for one in schema.constraints for name in one.get("columns", ()))}
    coders = {
        c.name: _coder(c, plain[c.name], c.name in named)
        for c in schema.columns
        if c.kind not in ("id", "constant") and c.name not in decides and c.name not in scaled
    }
    codes = {name: _codes(coder, plain[name]) for name, coder in coders.items()}
    fixed = {}
    for c in schema.columns:
        if c.kind == "constant":
            fixed[c.name] = _scalar(plain[c.name][0])
        elif c.kind == "id" and not c.format:
            fixed[c.name] = _first_key(columns[c.name])
    return Codec(
        schema,
        coders,
        _spans(schema, coders, codes),
        tuple(_scalar(frame.columns[places[c.name]]) for c in schema.columns),
        fixed,
        {b: (a, _table(plain[a], plain[b], coders[a], a, b)) for b, a in decides.items()},
        scaled,
        _forbidden(schema, codes),
        {
            name: _categories(series, coders[name])
            for name, series in columns.items()
            if isinstance(series.dtype, pd.CategoricalDtype) and name in coders
        },
        tuple(name for name, series in columns.items() if series.dtype == object and any(value is None for value in series)),
    )


def agree(frame: pd.DataFrame, schema: Schema) -> dict[str, int]:
    """Where each column of a schema lies in a table. Raises UserError where they do not fit, constraints included."""
    places = {str(label): i for i, label in enumerate(frame.columns)}
    known = {column.name: column for column in schema.columns}
    for name in known:
        if name not in places:
            raise UserError(f"the schema has a column {name} and the table has none: {suggest(name, list(places))}")
    if strangers := [name for name in places if name not in known]:
        raise UserError(f"the table has a column {strangers[0]} and the schema has none: add it there, or leave it out of both")
    for one in schema.constraints:
        kind = str(one.get("kind"))
        if kind not in MENTIONS or not set(MENTIONS[kind]) <= set(one):
            words = "; ".join(f"{name} needs {', '.join(parts)}" for name, parts in MENTIONS.items())
            raise UserError(f"constraint {dict(one)}: not understood: {words}")
        for part in MENTIONS[kind]:
            for name in one[part] if part == "columns" else (one[part],) if part not in ("factor", "plus") else ():
                if name not in known:
                    raise UserError(f"constraint {kind}: no column {name}: {suggest(str(name), list(known))}")
                if known[name].kind in ("id", "constant"):
                    raise UserError(f"constraint {kind}: column {name} is of kind {known[name].kind}: take the constraint out")
    follow = {one["is"] for one in schema.constraints if "is" in one}
    for one in schema.constraints:
        for name in (one.get("of"), one.get("low"), one.get("high"), *one.get("columns", ())):
            if name in follow:
                raise UserError(f"constraint {one['kind']}: column {name} follows from another already: name that one instead")
    return places


def healthy(frame: pd.DataFrame, schema: Schema) -> None:
    """Raise UserError where a whole table, before it is split, is not what a schema says, with the row."""
    for name, place in agree(frame, schema).items():
        column = schema[name]
        if not is_number(column):
            continue
        plain = to_plain(frame.iloc[:, place], column)
        for bound, wrong in ((column.low, np.less), (column.high, np.greater)):
            if bound is not None and wrong(plain, bound).any():
                row = int(np.flatnonzero(wrong(plain, bound))[0])
                raise UserError(f"column {name}: {plain[row]:g} (row {row + 1}) is beyond the bound {bound:g} of the schema")


def _coder(column: Column, plain: np.ndarray, named: bool) -> Choice | Modes:
    if not is_number(column):
        categories = tuple(dict.fromkeys(value for value in plain if value is not None))
        if column.kind != "ordinal":
            return Choice.fit(plain)
        if strange := [value for value in categories if str(value) not in column.order]:
            raise UserError(f"column {column.name}: value {strange[0]} is not in the order of the schema: add it there")
        return Choice.fit(plain, tuple(sorted(categories, key=lambda value: column.order.index(str(value)))))
    if column.kind == "boolean" or countable(plain) or named:
        return Choice.fit(plain)
    return Modes.fit(plain, column.special, column.low, column.high, _step(column, plain))


def _step(column: Column, plain: np.ndarray) -> float:
    """What all values are multiples of: 1 for integers, a day for dates without times, a last decimal."""
    if column.kind == "integer":
        return 1.0
    if column.kind == "datetime":
        known = plain[~np.isnan(plain)]
        return next((step for step in (86400.0, 3600.0, 60.0, 1.0) if (known % step == 0).all()), 0.0)
    return 0.0 if column.decimals is None else 10.0**-column.decimals


def _codes(coder: Choice | Modes, plain: np.ndarray) -> np.ndarray:
    return coder.codes(plain) if isinstance(coder, Choice) else coder.codes(plain)[1]


def _spans(schema: Schema, coders: Mapping[str, Choice | Modes], codes: Mapping[str, np.ndarray]) -> tuple[Span, ...]:
    spans: list[Span] = []
    at = asked = 0
    for name, coder in coders.items():
        if isinstance(coder, Modes):
            spans.append(Span(name, "number", at, 1))
            at += 1
        if isinstance(coder, Choice) or coder.size > 1:
            counts = np.bincount(codes[name], minlength=coder.size)
            direct = isinstance(coder, Choice) and (schema[name].kind in ASKED or name == schema.target)
            spans.append(Span(name, "choice", at, coder.size, tuple(counts.tolist()), asked if direct else None))
            at, asked = at + coder.size, asked + (coder.size if direct else 0)
    return tuple(spans)


def _table(a: np.ndarray, b: np.ndarray, coder: Choice | Modes, of: str, name: str) -> dict[Any, Any]:
    """What each value of the column `of` makes of the column `name`; missing is None. Raises UserError where it is open."""
    import pandas as pd

    if not isinstance(coder, Choice):
        raise UserError(f"constraint function: column {of} is a number of many values, which can decide nothing: take it out")
    pairs = pd.DataFrame({"a": pd.Series(a, dtype=object), "b": pd.Series(b, dtype=object)}).drop_duplicates()
    pairs = pairs.where(pairs.notna(), None)
    if (twice := pairs["a"].duplicated()).any():
        value = pairs["a"][twice].iloc[0]
        raise UserError(f"constraint function: {of} {value} comes with more than one {name}: take the constraint out")
    known = {value for value in (*coder.values, *(v for group in coder.tail for v in group), None)}
    return {_scalar(x): _scalar(y) for x, y in zip(pairs["a"], pairs["b"], strict=True) if x in known}


def _forbidden(schema: Schema, codes: Mapping[str, np.ndarray]) -> tuple[Forbidden, ...]:
    found = []
    for one in schema.constraints:
        if one["kind"] in ("never", "combinations"):
            first, second = sorted(one["columns"], key=list(codes).index)
            a, b = codes[first], codes[second]
            shut = absent(a, b) if one["kind"] == "never" else _unseen(a, b)
            found.append(Forbidden(first, second, tuple((int(x), int(y)) for x, y in np.argwhere(shut))))
    return tuple(found)


def _unseen(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    seen = np.zeros((int(a.max()) + 1, int(b.max()) + 1), bool)
    seen[a, b] = True
    return ~seen


def _categories(series: pd.Series, coder: Choice | Modes) -> tuple[Any, ...]:
    """The declared categories; where some of them are not kept by name, the kept alone."""
    declared = tuple(_scalar(value) for value in series.cat.categories)
    kept = set() if isinstance(coder, Modes) else {*coder.values, *(value for group in coder.tail for value in group)}
    seen = {_scalar(value) for value in series.dropna().unique()}
    return declared if seen <= kept else tuple(value for value in declared if value in kept)


def _first_key(series: pd.Series) -> float:
    known = series.dropna().to_numpy(dtype=np.float64)
    kind = str(series.dtype).lower()
    most = float(np.iinfo(kind).max) if kind.startswith(("int", "uint")) and kind.isalnum() else 2.0**53
    return keys.after(float(known.max(initial=0)), most)


def _scalar(value: Any) -> Any:
    """A plain Python value, None where it is missing."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is None or value != value else value
