"""Schema: what the columns of a table are. It is inferred, printed, and can be edited as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from zerosum.errors import UserError, suggest

Kind = Literal["continuous", "integer", "boolean", "categorical", "ordinal", "datetime", "id", "constant"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column, as people know it."""

    name: str
    kind: Kind
    dtype: str = ""  # pandas' name of its type, which sampled columns get back
    nulls: bool = False  # whether values are missing
    low: float | None = None  # least value that may be sampled; None: the training part's
    high: float | None = None  # greatest value that may be sampled; None: the training part's
    decimals: int | None = None  # places after the point of a continuous column; None: as they come
    special: tuple[float, ...] = ()  # values that stand for themselves: a spike at 0, -1 for "unknown"
    order: tuple[str, ...] = ()  # an ordinal column's values, least first
    format: str = ""  # of a datetime, as strptime reads it, or of an id


@dataclass(frozen=True)
class Schema:
    """A table's columns, in order, what holds between them, and which one is to be predicted."""

    columns: tuple[Column, ...]
    constraints: tuple[dict[str, Any], ...] = ()
    target: str | None = None

    def __getitem__(self, name: str) -> Column:
        """The column of that name. Raises UserError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UserError(f"no column {name}: {suggest(name, [column.name for column in self.columns])}")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Schema:
        """The schema that `to_json`, or a user, wrote. Raises UserError where it says something unknown."""
        columns = []
        for number, one in enumerate(values.get("columns", ())):
            plain: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value for name, value in dict(one).items()
            }
            try:
                column = Column(**plain)
            except TypeError as error:
                raise UserError(f"schema, column {number + 1}: {error}") from None
            if column.kind not in get_args(Kind):
                known = suggest(column.kind, list(get_args(Kind)))
                raise UserError(f"schema, column {column.name}: kind {column.kind}: {known}")
            columns.append(column)
        return Schema(tuple(columns), tuple(values.get("constraints", ())), values.get("target"))
