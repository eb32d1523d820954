"""Redrawn: another source's items in other batches."""

from __future__ import annotations

from typing import Generic, TypeVar

from zerosum.data.source import Rows, Source
from zerosum.game import Batch

Inner = TypeVar("Inner", bound=Source)


class Redrawn(Source, Generic[Inner]):
    """All that does not depend on how batches are drawn comes from the source within."""

    def __init__(self, inner: Inner) -> None:
        self._inner, self.spec, self.found = inner, inner.spec, inner.found

    def stored(self) -> tuple[Rows, Rows] | None:
        return self._inner.stored()

    def held_out(self, most: int | None = None) -> Batch:
        return self._inner.held_out(most)

    def some(self, n: int, seed: int = 0) -> Batch:
        return self._inner.some(n, seed)

    def fingerprint(self) -> str:
        return self._inner.fingerprint()
