"""Privacy: what a generated table gives away about the rows it was learned from, beyond what any table of this kind would.

Every measure stands beside the same of rows that were held out: what also holds for them is knowledge about people, and
what holds for training rows alone is a leak. A good value shows that these attacks failed. It proves nothing about
better ones: a proof needs differential privacy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zerosum.metrics.intervals import GROUPS, Interval, jackknife
from zerosum.metrics.tables.columns import codes, compared, is_number, numbers, some
from zerosum.metrics.tables.nearest import Points
from zerosum.tables.schema import Column, Schema

if TYPE_CHECKING:
    from pandas import DataFrame

ATTACKED = 1000
"""Rows of each side whose secret is guessed."""

CLOSE = 0.05
"""Of a number's range: a guess that is no further off is right."""


@dataclass(frozen=True)
class Distances:
    """Distances of one generated table, to as many training as held-out rows."""

    to_train: np.ndarray  # from each generated row to the nearest row of each tenth of the training rows [n, tenths]
    to_held: np.ndarray  # from each generated row to the nearest row of each tenth of the held-out rows [n, tenths]
    train_made: np.ndarray  # from each training row to the nearest generated row
    held_made: np.ndarray  # from each held-out row to the nearest generated row

    @property
    def made_train(self) -> np.ndarray:
        """From each generated row to the nearest training row."""
        return self.to_train.min(1)

    @property
    def made_held(self) -> np.ndarray:
        """From each generated row to the nearest held-out row."""
        return self.to_held.min(1)

    def fifth(self) -> tuple[float, float, Interval]:
        """5th percentile of the distance to the nearest training row, of that to the nearest held-out row, and an interval.

        The interval is how far the first could lie from the second by luck, for it is by luck which rows were trained on:
        the jackknife over tenths of the held-out rows, which cannot have been copied, taken twice, once for each side.
        """
        least = lambda side: float(np.quantile(side.min(1), 0.05))
        value, other = least(self.to_train), least(self.to_held)
        if self.to_held.shape[1] < GROUPS:
            return value, other, (None, None)
        without = [least(np.delete(self.to_held, i, 1)) for i in range(GROUPS)]
        low, high = jackknife(value, [without, without])
        return value, other, (max(0.0, low or 0.0), high)

    @property
    def closer(self) -> np.ndarray:
        """For each generated row 1 where a training row is nearer than any held-out one, 0 where not, 0.5 for equal ones.

        The mean is 0.5 where nothing was memorised and 1 for copies. Platzer & Reutterer 2021, "Holdout-Based Empirical
        Assessment of Mixed-Type Synthetic Data".
        """
        return np.where(self.made_train < self.made_held, 1.0, np.where(self.made_train > self.made_held, 0.0, 0.5))


def distances(made: DataFrame, train: DataFrame, held: DataFrame, schema: Schema, seed: int = 0) -> Distances:
    """Distances between a generated table and up to 10,000 training rows, and as many held-out ones."""
    n = min(len(train), len(held))
    train, held, made = some(train, min(n, 10_000), seed), some(held, min(n, 10_000), seed), some(made, seed=seed)
    points = Points(compared(schema), train, held, made)
    made_train, train_made = points.nearest(2, 0)
    made_held, held_made = points.nearest(2, 1)
    return Distances(made_train, made_held, train_made, held_made)


def copied(made: DataFrame, train: DataFrame, schema: Schema) -> np.ndarray:
    """For each generated row 1 where all its values are those of one training row (of all of them), else 0."""
    import pandas as pd

    columns = compared(schema)
    sides = [codes(*(side[c.name].astype(object) for side in (train, made))) for c in columns]
    if not sides:
        return np.zeros(len(made))
    keys = [pd.util.hash_pandas_object(pd.DataFrame(list(zip(*side, strict=True))), index=False) for side in _turned(sides)]
    return np.isin(keys[1], keys[0]).astype(np.float64)


def _turned(sides: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    return [[column[i] for column in sides] for i in (0, 1)]


def secret(schema: Schema) -> Column | None:
    """The column that an attacker guesses: the target, else the last one; None where nothing else is known."""
    columns = compared(schema)
    named = [column for column in columns if column.name == schema.target]
    return (named or columns[-1:])[0] if len(columns) > 1 else None


def disclosed(made: DataFrame, victims: DataFrame, schema: Schema, seed: int = 0) -> np.ndarray:
    """For up to 1,000 rows: 1 where the secret is that of the generated row nearest in all other columns, else 0.

    Whoever knows all of a person but one column looks the person up in the generated table. The correct attribution
    probability of Taub et al. 2018, "Differential Correct Attribution Probability for Synthetic Data", with the nearest
    row in place of equal ones.
    """
    column = secret(schema)
    if column is None:
        return np.zeros(0)
    made, victims = some(made, seed=seed), some(victims, ATTACKED, seed)
    known = [other for other in compared(schema) if other.name != column.name]
    nearest = Points(known, made, victims).neighbour(1, 0)
    if is_number(column):
        guess, truth = numbers(made[column.name], column)[nearest], numbers(victims[column.name], column)
        span = np.nanmax(truth) - np.nanmin(truth) if (~np.isnan(truth)).any() else 0.0
        return ((np.abs(guess - truth) <= CLOSE * span) | (np.isnan(guess) & np.isnan(truth))).astype(np.float64)
    guess, truth = codes(made[column.name], victims[column.name])
    return (guess[nearest] == truth).astype(np.float64)
