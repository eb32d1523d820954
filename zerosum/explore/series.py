"""A curve that grows for as long as training lasts, in memory that does not."""

from __future__ import annotations

from zerosum.explore.tidy import rounded

MOST = 400
"""Points of a curve that are sent; up to twice as many are kept."""


class Series:
    """(step, value) in order of steps. Where there are too many, neighbours become their mean, at the later one's step."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._sums: list[float] = []
        self._counts: list[int] = []
        self._bunch = 1  # values that a point is the mean of

    def add(self, step: int, value: float) -> None:
        """Add a value. One that comes too late is left out."""
        if self._steps and step < self._steps[-1]:
            return
        if self._counts and self._counts[-1] < self._bunch:
            self._steps[-1], self._sums[-1], self._counts[-1] = step, self._sums[-1] + value, self._counts[-1] + 1
            return
        if len(self._steps) == 2 * MOST:
            self._halve()
        self._steps.append(step)
        self._sums.append(value)
        self._counts.append(1)

    def forget_after(self, step: int) -> None:
        """Leave out what came after a step that training went back to."""
        while self._steps and self._steps[-1] > step:
            self._steps.pop(), self._sums.pop(), self._counts.pop()

    def points(self) -> tuple[list[int], list[float | None]]:
        """Steps and values; each the mean of its bunch."""
        return self._steps[:], [rounded(total / count) for total, count in zip(self._sums, self._counts, strict=True)]

    def _halve(self) -> None:
        pairs = range(0, 2 * MOST, 2)
        self._sums = [self._sums[i] + self._sums[i + 1] for i in pairs]
        self._counts = [self._counts[i] + self._counts[i + 1] for i in pairs]
        self._steps = [self._steps[i + 1] for i in pairs]
        self._bunch *= 2
