"""Score: a number with what is needed to trust it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from zerosum.game import Batch

Maker = Callable[[int, int], Batch]
"""(n, seed) -> n generated items in model space on the CPU: x, and y where the generator takes labels."""


@dataclass(frozen=True)
class Score:
    """One measured number between what real data reach and what a trivial generator reaches."""

    name: str
    value: float
    better: Literal["higher", "lower"]
    real: float  # the same measure on real data: the best to hope for
    trivial: float  # the same measure on a generator that has learned next to nothing
    protocol: str  # features, counts, split, seed: in a sentence

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the log."""
        return asdict(self)
