"""Sides: the tables that a score compares: generated, real, and what generators without a network make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from zerosum.metrics.intervals import Interval
from zerosum.metrics.score import Score
from zerosum.metrics.tables.baselines import copies, copula, independent
from zerosum.metrics.tables.columns import some
from zerosum.tables.schema import Schema

if TYPE_CHECKING:
    from pandas import DataFrame

COPULA, COPIES = "copula", "copies"
MEANS = "real: training rows; trivial: columns drawn independently; copula: Gaussian; copies: training rows themselves"


class Sides:
    """A generated table, the rows it was learned from and the rows held out, all with columns named by text.

    `make(n)` gives n generated rows. Up to `items` rows of each are compared.
    """

    def __init__(
        self, train: DataFrame, held: DataFrame, make: Callable[[int], DataFrame], schema: Schema, items: int, seed: int = 0
    ) -> None:
        self.train, self.held = _named(train), some(_named(held), items, seed)
        self.schema, self.items, self.seed, self._make = schema, items, seed, make

    @cached_property
    def made(self) -> DataFrame:
        """The generated rows."""
        return _named(self._make(self.items))

    @cached_property
    def real(self) -> DataFrame:
        """Training rows, as many as are compared: the best to hope for."""
        return some(self.train, self.items, self.seed)

    @cached_property
    def without(self) -> dict[str, DataFrame]:
        """By name, what generators without a network make of the training rows."""
        makers = {"trivial": independent, COPULA: copula, COPIES: copies}
        return {name: make(self.train, self.schema, self.items, self.seed) for name, make in makers.items()}

    @cached_property
    def tables(self) -> dict[str, DataFrame]:
        """By name: "made", the generated rows; "real", training rows; and what needs no network."""
        return {"made": self.made, "real": self.real, **self.without}


def as_score(
    name: str, better: Literal["higher", "lower"], found: Mapping[str, float], protocol: str, interval: Interval = (None, None)
) -> Score:
    """A score of what was found for each of `Sides.tables`; what has no meaning there (NaN) counts 0."""
    known = {side: value if value == value else 0.0 for side, value in found.items()}
    beside = {side: known[side] for side in (COPULA, COPIES)}
    return Score(name, known["made"], better, known["real"], known["trivial"], protocol, *interval, beside)


def _named(frame: DataFrame) -> DataFrame:
    return frame.set_axis([str(name) for name in frame.columns], axis=1)
