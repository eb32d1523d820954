"""Encoded images end to end in one array of bytes, with an array of offsets, in an .npz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from zerosum.data.decoder import Load, mark
from zerosum.data.shelf import Shelf


def find(arrays: Mapping[str, np.ndarray]) -> tuple[str, str] | None:
    """Names of the bytes and of the offsets [n + 1] among arrays, where there are such: from 0 up to the bytes' number."""
    for name, data in arrays.items():
        if data.ndim == 1 and data.dtype == np.uint8 and len(data):
            whole = (other for other, at in arrays.items() if _offsets(at, len(data)))
            if (other := next(whole, None)) is not None:
                return name, other
    return None


def _offsets(at: np.ndarray, size: int) -> bool:
    numbers = at.ndim == 1 and at.dtype.kind in "iu" and len(at) > 1
    return bool(numbers and at[0] == 0 and at[-1] == size and (np.diff(at.astype(np.int64)) >= 0).all())


class Encoded(Shelf):
    """The images of such a pair of arrays."""

    kind = ".npz of encoded images"

    def __init__(
        self,
        path: Path,
        data: np.ndarray,
        offsets: np.ndarray,
        labels: np.ndarray | None = None,
        origin: str = "",
        notes: tuple[str, ...] = (),
        words: tuple[str, ...] = (),
    ) -> None:
        self._labels, self._from, self.notes, self._words = labels, origin, notes, words
        self.origin, self._data, self._at = str(path), data, offsets.astype(np.int64)
        self.names = [f"item {i}" for i in range(len(offsets) - 1)]
        self._mark, self.tables = mark(path.stat()), []

    @property
    def marks(self) -> list[str]:
        return [self._mark] * len(self.names)

    def loads(self, slots: list[int]) -> Iterator[tuple[int, Load]]:
        for slot in slots:
            yield slot, self._data[self._at[slot] : self._at[slot + 1]].tobytes()

    def labels(self) -> tuple[list[str] | None, str]:
        if self._labels is None or len(self._labels) != len(self.names):
            return None, ""
        values = self._labels.reshape(-1).tolist()
        named = all(isinstance(value, int) and 0 <= value < len(self._words) for value in values)
        return [self._words[value] if named else value for value in values], self._from

    def table(self, name: str) -> bytes:
        raise KeyError(name)
