"""Span: a stretch of a row in model space, which belongs to one column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Span:
    """Numbers [start, start + size) of a row.

    A "number" is one value in [-1, 1]; a "choice" is one of `size`, one-hot. A column may have several: a number within a
    mode and the choice of the mode, say.
    """

    column: str
    kind: Literal["number", "choice"]
    start: int
    size: int
    counts: tuple[int, ...] = ()  # a choice's frequencies among training rows
    condition: int | None = None  # where this choice starts in a condition; None: nothing can be asked of it

    @property
    def stop(self) -> int:
        """Where the next one starts."""
        return self.start + self.size
