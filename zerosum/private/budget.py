"""Budget: the epsilon and delta that were asked for, and the key."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from zerosum.errors import UserError
from zerosum.private.key import Key
from zerosum.private.ledger import Ledger

DELTA = 1e-5


@dataclass(frozen=True)
class Budget:
    """What may be spent. Raises UserError where the numbers promise nothing."""

    epsilon: float
    delta: float = DELTA
    key: Key = field(default_factory=Key.fresh)
    ledger: Ledger | None = None  # where the columns were described before: what that cost

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < math.inf:
            raise UserError(f"dp_epsilon {self.epsilon}: give a number greater than 0; 1 is usual, 10 protects little")
        if not 0 < self.delta < 1:
            raise UserError(f"dp_delta {self.delta}: give a number between 0 and 1, well below one over the number of rows")

    def of(self, rows: int) -> Budget:
        """The same, for a table of so many rows. Raises UserError where delta would allow to publish rows outright."""
        if self.delta * rows >= 1:
            raise UserError(
                f"dp_delta {self.delta:g} is no less than one over the table's {rows:,} rows, which would allow to publish "
                f"some row as it is: give at most {0.1 / rows:.1g}"
            )
        return self
