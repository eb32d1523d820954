"""What is asked of sampled rows: `where={"income": ">50K", "age": (30, 40), "sex": ["Male", "Female"]}`.

One value, a list of values, or a range (least, most), either of which may be None. None alone asks for a missing value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.errors import UserError, suggest
from zerosum.tables.choices import Choice
from zerosum.tables.codec import Codec
from zerosum.tables.modes import Modes
from zerosum.tables.plain import is_number, missing, to_plain
from zerosum.tables.schema import Column

if TYPE_CHECKING:
    import pandas as pd

TRUTH = {"true": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "0": 0.0}


@dataclass(frozen=True)
class Ask:
    """What one column is asked to be, in plain values: one of `values`, or a number in [low, high]."""

    column: Column
    values: tuple[Any, ...] = ()
    low: float = -np.inf
    high: float = np.inf

    def met(self, plain: np.ndarray) -> np.ndarray:
        """Which plain values are what is asked, bool [n]."""
        if not self.values:
            return (plain >= self.low) & (plain <= self.high)
        found = [missing(plain) if value is None else plain == value for value in self.values]
        return np.asarray(np.logical_or.reduce(found), bool)

    def codes(self, codec: Codec) -> np.ndarray | None:
        """Codes of the column's own choice that mean what is asked; None where a code may mean more than that."""
        coder = codec.coders.get(self.column.name)
        if not isinstance(coder, Choice):
            return None
        plain = np.array([*coder.values, None], np.float64 if coder.number else object)[:-1]
        codes = np.flatnonzero(self.met(plain))
        if None in self.values and coder.null:
            codes = np.append(codes, coder.size - 1)
        tailed = [value for value in self.values if value is not None and (coder.knows(value) or 0) >= len(coder.values)]
        return codes if len(codes) and not tailed else None


def asks(where: Mapping[str, Any], codec: Codec) -> list[Ask]:
    """What is asked, column by column. Raises UserError for a column or value that is not there."""
    return [_ask(codec, str(name), wish) for name, wish in where.items()]


def from_words(words: Iterable[str], codec: Codec) -> dict[str, Any]:
    """`where` from a command line: COLUMN=VALUE, COLUMN=LEAST:MOST, COLUMN=A,B, and COLUMN= for a missing value.

    A column that is named twice may have either value. Raises UserError where a word is none of these.
    """
    where: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise UserError(f"--where {word}: give COLUMN=VALUE, such as --where age=30:40")
        column = codec.schema[name]
        wish: Any = value if value else None
        low, colon, high = value.partition(":")
        if colon and is_number(column) and column.kind != "datetime":
            wish = (low or None, high or None)
        elif column.kind == "datetime" and ".." in value:
            low, _, high = value.partition("..")
            wish = (low or None, high or None)
        elif "," in value and not _known(codec, column, value):
            wish = value.split(",")
        if name in where:
            if isinstance(wish, tuple) or isinstance(where[name], tuple):
                raise UserError(f"--where {word}: {name} is asked twice, and a range does not go with more: leave one out")
            listed = lambda one: one if isinstance(one, list) else [one]
            wish = [*listed(where[name]), *listed(wish)]
        where[name] = wish
    return where


def _known(codec: Codec, column: Column, value: str) -> bool:
    coder = codec.coders.get(column.name)
    return isinstance(coder, Choice) and not coder.number and coder.knows(value) is not None


def _ask(codec: Codec, name: str, wish: Any) -> Ask:
    column = codec.schema[name]
    if column.kind == "id":
        raise UserError(f"where {name}: keys are made anew and cannot be asked for: leave it out")
    if isinstance(wish, tuple):
        if len(wish) != 2 or not is_number(column):
            raise UserError(f"where {name}: a range is (least, most), of a column of numbers or dates: give values in a list")
        low, high = (end if v is None else _number(column, v) for v, end in zip(wish, (-np.inf, np.inf), strict=True))
        ask = Ask(column, (), low, high)
    else:
        values = wish if isinstance(wish, list | set | frozenset) else [wish]
        ask = Ask(column, tuple(_value(codec, column, value) for value in values))
    _possible(codec, ask)
    return ask


def _number(column: Column, value: Any) -> float:
    import pandas as pd

    try:
        if column.kind == "datetime":
            stamp = pd.Timestamp(value)
            return (stamp.tz_convert("UTC") if stamp.tzinfo else stamp.tz_localize("UTC")).timestamp()
        if isinstance(value, str) and column.kind == "boolean" and value.lower() in TRUTH:
            return TRUTH[value.lower()]
        return float(value)
    except (TypeError, ValueError):
        what = "a date" if column.kind == "datetime" else "true or false" if column.kind == "boolean" else "a number"
        raise UserError(f"where {column.name}: {value} is not {what}") from None


def _value(codec: Codec, column: Column, value: Any) -> Any:
    if value is None or value != value:
        return None
    if is_number(column):
        return _number(column, value)
    coder = codec.coders.get(column.name)
    if isinstance(coder, Choice) and coder.knows(value) is None:
        known = [*coder.values, *(v for group in coder.tail for v in group)]
        alike = [v for v in known if str(v) == str(value).strip()]
        if not alike:
            words = [str(v) for v in known]
            some = f"it has {', '.join(words[:5])} and {len(words) - 5:,} more" if len(words) > 20 else ""
            told = suggest(str(value), words)
            raise UserError(f"where {column.name}: no value {value}: {some if some and told.startswith('choose') else told}")
        return alike[0]
    return value


def _possible(codec: Codec, ask: Ask) -> None:
    """Raise UserError where no row can be what is asked."""
    column, coder = ask.column, codec.coders.get(ask.column.name)
    if ask.low > ask.high:
        raise UserError(f"where {column.name}: least {ask.low:g} is above most {ask.high:g}: exchange them")
    if None in ask.values and not column.nulls:
        raise UserError(f"where {column.name}: no value is ever missing in this column")
    if isinstance(coder, Modes):
        special = any(ask.met(np.array([value])).any() for value in coder.special)
        wished = [v for v in ask.values if v is not None]
        low, high = (min(wished), max(wished)) if wished else (ask.low, ask.high)
        if None not in ask.values and not special and (low > coder.high or high < coder.low):
            raise UserError(
                f"where {column.name}: values lie between {coder.low:g} and {coder.high:g}: 0 % of samples would do"
            )
    elif isinstance(coder, Choice) and coder.number and not (None in ask.values or ask.met(np.array(coder.values)).any()):
        low, high = min(coder.values), max(coder.values)
        raise UserError(f"where {column.name}: none of its values, from {low:g} to {high:g}, is that: 0 % of samples would do")


def met(frame: pd.DataFrame, asked: list[Ask]) -> np.ndarray:
    """Which rows of a table are what is asked, bool [n]."""
    fit = np.ones(len(frame), bool)
    places = {str(label): i for i, label in enumerate(frame.columns)}
    for ask in asked:
        fit &= ask.met(to_plain(frame.iloc[:, places[ask.column.name]], ask.column))
    return fit


def through(codec: Codec, ask: Ask) -> Ask:
    """The same asked of the column that decides this one, where another does."""
    if ask.column.name not in codec.decided:
        return ask
    of, table = codec.decided[ask.column.name]
    kind = np.float64 if is_number(ask.column) else object
    plain = np.array([np.nan if b is None and kind is np.float64 else b for b in table.values()] + [None], object)[:-1]
    fitting = tuple(a for a, fits in zip(table, ask.met(plain.astype(kind)), strict=True) if fits)
    return Ask(codec.schema[of], fitting) if fitting else ask
