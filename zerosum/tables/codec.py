"""Codec: rows of a table as numbers in model space, and back. What it keeps tells of columns, and holds no row.

Model space is the spans one after another. Between it and the table stand compact rows, a few bytes a column, which is what
is kept in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from zerosum.errors import UserError, suggest
from zerosum.tables import keys
from zerosum.tables.choices import Choice
from zerosum.tables.meet import Forbidden, chosen, ordered
from zerosum.tables.modes import Modes
from zerosum.tables.plain import from_plain, is_number, to_plain
from zerosum.tables.schema import Column, Schema
from zerosum.tables.span import Span

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Compact:
    """Rows as they are kept in memory: places within modes, and codes of choices."""

    numbers: Tensor  # float32 [n, numbers]
    codes: Tensor  # int16 [n, choices]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Compact:
        return Compact(self.numbers[rows], self.codes[rows])

    def to(self, device: str) -> Compact:
        """The same rows on a device."""
        return Compact(self.numbers.to(device), self.codes.to(device))


@dataclass(frozen=True)
class Codec:
    """How a table's columns become spans. `fit` makes one from training rows."""

    schema: Schema
    coders: Mapping[str, Choice | Modes]  # of the columns that are modelled, in the schema's order
    spans: tuple[Span, ...]
    labels: tuple[Any, ...]  # the table's own names of its columns, which need not be text
    fixed: Mapping[str, Any] = field(default_factory=dict)  # constants, and from where whole-number keys are counted
    decided: Mapping[str, tuple[str, Mapping[Any, Any]]] = field(default_factory=dict)  # column -> what decides it, and how
    scaled: Mapping[str, tuple[str, float, float]] = field(default_factory=dict)  # column = factor * another + plus
    forbidden: tuple[Forbidden, ...] = ()
    categories: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # declared by pandas' category type
    none: tuple[str, ...] = ()  # columns whose missing values are None and not NaN

    @staticmethod
    def fit(frame: pd.DataFrame, schema: Schema) -> Codec:
        """The codec of a table's training rows. Raises UserError where the schema is not the table's."""
        from zerosum.tables.fit import fit

        return fit(frame, schema)

    @cached_property
    def width(self) -> int:
        """Numbers of a row in model space."""
        return self.spans[-1].stop

    @cached_property
    def condition_width(self) -> int:
        """Numbers of a condition: one for every value that can be asked for."""
        return max((span.condition + span.size for span in self.spans if span.condition is not None), default=0)

    def span(self, column: str) -> Span | None:
        """A column's choice, or None where it has none."""
        return next((span for span in self.spans if span.column == column and span.kind == "choice"), None)

    # ---- there -------------------------------------------------------------------------------------------------------

    def compact(self, frame: pd.DataFrame) -> Compact:
        """Rows as they are kept. Raises UserError where columns are missing, or hold values of another kind."""
        places = {str(label): i for i, label in enumerate(frame.columns)}
        if gone := [name for name in self.coders if name not in places]:
            raise UserError(f"the table has no column {gone[0]}: {suggest(gone[0], list(places))}")
        numbers, codes = [], []
        choices = {span.column for span in self.spans if span.kind == "choice"}
        for name, coder in self.coders.items():
            plain = to_plain(frame.iloc[:, places[name]], self.schema[name])
            if isinstance(coder, Modes):
                number, code = coder.codes(plain)
                numbers.append(number)
            else:
                code = coder.codes(plain)
            if name in choices:
                codes.append(code.astype(np.int16))
        n = len(frame)
        return Compact(
            torch.from_numpy(np.stack(numbers, 1) if numbers else np.zeros((n, 0), np.float32)),
            torch.from_numpy(np.stack(codes, 1) if codes else np.zeros((n, 0), np.int16)),
        )

    def expand(self, rows: Compact) -> Tensor:
        """Compact rows -> model space, float32 [n, width], on their device."""
        numbers, choices = self._starts(str(rows.codes.device))
        x = torch.zeros(len(rows), self.width, device=rows.codes.device)
        x[:, numbers] = rows.numbers
        return x.scatter_(1, rows.codes + choices, 1.0)

    def _starts(self, device: str) -> tuple[Tensor, Tensor]:
        if device not in self._cached_starts:
            starts = [[span.start for span in self.spans if span.kind == kind] for kind in ("number", "choice")]
            self._cached_starts[device] = tuple(torch.tensor(s, dtype=torch.int64, device=device) for s in starts)
        return self._cached_starts[device]

    @cached_property
    def _cached_starts(self) -> dict[str, Any]:
        return {}

    def encode(self, frame: pd.DataFrame) -> Tensor:
        """Rows in model space, float32 [n, width]."""
        return self.expand(self.compact(frame))

    # ---- and back ----------------------------------------------------------------------------------------------------

    def decode(self, x: Tensor) -> pd.DataFrame:
        """Model space [n, width] -> a table with the training table's columns, order and types; a function of x alone."""
        import pandas as pd

        rows = x.detach().float().cpu().numpy()
        plain = self._modelled(rows)
        unequal = [one for one in self.schema.constraints if one["kind"] == "inequality"]
        for _ in unequal:  # as often as there are: bringing one pair into order may put another out of it
            if not sum([self._order(plain, one["low"], one["high"]) for one in unequal]):
                break
        for name, (of, table) in self.decided.items():
            known = pd.Series(plain[of], dtype=object).map(_keyed(table)).to_numpy(dtype=object)
            plain[name] = _as_plain(known, self.schema[name])
        for name, (of, factor, plus) in self.scaled.items():
            plain[name] = factor * plain[of] + plus
        series = [self._series(column, plain, len(rows)) for column in self.schema.columns]
        frame = pd.concat(series, axis=1) if len(rows) else pd.DataFrame(dict(enumerate(series)))
        frame.columns = pd.Index(self.labels, dtype=None if all(isinstance(one, int) for one in self.labels) else object)
        return frame

    def with_keys(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The same rows, with keys that are different from row to row: for rows that were decoded in parts."""
        frame = frame.copy()
        for place, column in enumerate(self.schema.columns):
            if column.kind == "id":
                frame[frame.columns[place]] = self._series(column, {}, len(frame))
        return frame

    def _modelled(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Plain values of the columns that are modelled."""
        at = {(span.column, span.kind): rows[:, span.start : span.stop] for span in self.spans}
        codes: dict[str, np.ndarray] = {}
        plain: dict[str, np.ndarray] = {}
        for name, coder in self.coders.items():
            scores = at.get((name, "choice"))
            if scores is None:
                codes[name] = np.zeros(len(rows), np.int64)
            else:
                pairs = [one for one in self.forbidden if one.second == name]
                codes[name] = chosen(scores, [one.mask(codes[one.first], coder.size) for one in pairs])
            if isinstance(coder, Modes):
                plain[name] = coder.plain(at[name, "number"][:, 0], codes[name])
            else:
                tailed = scores is not None and bool(coder.tail)
                plain[name] = coder.plain(codes[name], _chance(scores) if tailed else np.zeros(len(rows)))  # type: ignore[arg-type]
        return plain

    def _order(self, plain: dict[str, np.ndarray], low: str, high: str) -> bool:
        """Bring two columns into order; whether any row was out of it."""
        wrong = bool((plain[low] > plain[high]).any())
        a, b = self.coders.get(low), self.coders.get(high)
        plain[low], plain[high] = ordered(plain[low], plain[high], isinstance(a, Modes), isinstance(b, Modes))
        if isinstance(a, Modes) and isinstance(b, Modes):  # exchanged numbers may lie beyond the other's bounds
            plain[low], plain[high] = a.within(plain[low]), b.within(plain[high])
            plain[high] = np.where(plain[low] > plain[high], plain[low], plain[high])
        return wrong

    def _series(self, column: Column, plain: dict[str, np.ndarray], n: int) -> pd.Series:
        if column.kind == "id":
            values = (
                keys.make(column.format, n, column.name) if column.format else self.fixed[column.name] + np.arange(1.0, n + 1)
            )
        elif column.kind == "constant":
            values = np.full(n, self.fixed[column.name], object)
        else:
            values = plain[column.name]
        return from_plain(values, column, self.categories.get(column.name, ()), column.name in self.none)

    # ---- JSON --------------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes the same codec."""
        return {
            "schema": self.schema.to_json(),
            "coders": {name: coder.to_json() for name, coder in self.coders.items()},
            "spans": [vars(span) | {"counts": list(span.counts)} for span in self.spans],
            "labels": list(self.labels),
            "fixed": dict(self.fixed),
            "decided": {name: [of, [list(pair) for pair in table.items()]] for name, (of, table) in self.decided.items()},
            "scaled": {name: list(one) for name, one in self.scaled.items()},
            "forbidden": [one.to_json() for one in self.forbidden],
            "categories": {name: list(values) for name, values in self.categories.items()},
            "none": list(self.none),
        }

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Codec:
        """What `to_json` wrote. Raises UserError where a part is missing or damaged."""
        try:
            return Codec(
                Schema.from_json(values["schema"]),
                {name: (Modes if "centres" in one else Choice).from_json(one) for name, one in values["coders"].items()},
                tuple(Span(**{**one, "counts": tuple(one["counts"])}) for one in values["spans"]),
                tuple(values["labels"]),
                dict(values["fixed"]),
                {name: (of, {a: b for a, b in table}) for name, (of, table) in values["decided"].items()},
                {name: (one[0], float(one[1]), float(one[2])) for name, one in values["scaled"].items()},
                tuple(Forbidden.from_json(one) for one in values["forbidden"]),
                {name: tuple(one) for name, one in values["categories"].items()},
                tuple(values["none"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            missing = f"{type(error).__name__}: {error}"
            raise UserError(f"the description of the table's columns is damaged ({missing}): train anew") from error


def _keyed(table: Mapping[Any, Any]) -> Any:
    """A function from plain values to plain values; missing is looked up as None."""
    return lambda value: table.get(None if value is None or value != value else value)


def _as_plain(values: np.ndarray, column: Column) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values], np.float64) if is_number(column) else values


def _chance(scores: np.ndarray) -> np.ndarray:
    """A number in [0, 1) for each row: a hash of its scores and its place, so that decoding is a function of x."""
    bits = np.ascontiguousarray(scores, np.float32).view(np.uint32).astype(np.uint64)
    odd = np.random.default_rng(0).integers(0, 2**63, bits.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    word = (bits * odd).sum(1, dtype=np.uint64) + np.arange(len(bits), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # SplitMix64's finish
        word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    return ((word ^ (word >> np.uint64(31))) >> np.uint64(11)) / 2.0**53
