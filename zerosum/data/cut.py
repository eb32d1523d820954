"""Crops: parts of whole photographs, somewhere else each time, half of them mirrored."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil, sqrt

import numpy as np
import torch
from torch import Tensor

from zerosum.data.photographs import Filed, Photographs, Place
from zerosum.data.source import Order, Rows, Source, Spec, as_batch
from zerosum.data.streamed import AHEAD
from zerosum.data.target import Size
from zerosum.game import Batch
from zerosum.noise import mix

STREAM = 2**31 + 9  # tells this file's random words from every other use of the same seed and cursor
HELD = 400
"""Crops of held-out photographs, where they have room for so many that do not overlap."""


class Crops(Source):
    """Batches of `x`, each a part of `spec.shape` of another photograph; all are taken in turn, in a new order each time.

    Where a part lies and whether it is mirrored left to right are functions of (seed, cursor). Held-out items are parts of
    photographs that training never sees, always the same: spread evenly, and none over another.
    """

    def __init__(self, spec: Spec, photos: Photographs, parts: tuple[np.ndarray, np.ndarray], known: str, device: str = "cpu"):
        """`parts`: the numbers of the photographs for training and of those held out. `known`: the fingerprint."""
        self.spec, self._photos, self._parts, self._known, self._device = spec, photos, parts, known, device
        self._size: Size = (spec.shape[1], spec.shape[2])
        self._order = Order(len(parts[0]))

    def __len__(self) -> int:
        return len(self._parts[0])

    def to(self, device: str) -> Crops:
        source = Crops(self.spec, self._photos, self._parts, self._known, device)
        source.found = self.found
        return source

    def fingerprint(self) -> str:
        return self._known

    def stored(self) -> tuple[Rows, Rows]:
        """Each photograph once, whole."""

        def rows(part: np.ndarray) -> Rows:
            return Rows(len(part), lambda at: np.stack([self._photos.glance(int(i), self._size) for i in part[at]]))

        return rows(self._parts[0]), rows(self._parts[1])

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        if not isinstance(self._photos, Filed):
            cursor = start
            while True:
                yield as_batch(self._batch(size, seed, cursor, rank, world).to(self._device), None)
                cursor += 1
        waiting: deque[Future[Tensor]] = deque()
        with ThreadPoolExecutor(1, "read-ahead") as reader:  # one: the order's memory is of one epoch
            try:
                while True:
                    while len(waiting) < AHEAD:
                        waiting.append(reader.submit(self._batch, size, seed, start, rank, world))
                        start += 1
                    yield as_batch(waiting.popleft().result().to(self._device), None)
            finally:
                for future in waiting:
                    future.cancel()

    def _batch(self, size: int, seed: int, cursor: int, rank: int, world: int) -> Tensor:
        """This rank's part of a batch, uint8."""
        share = size // world
        rows = self._order.rows(cursor * size + rank * share, share, seed).tolist()
        generator = torch.Generator().manual_seed(mix(seed, cursor, STREAM))
        chance = torch.rand(size, 3, dtype=torch.float64, generator=generator)[rank * share : (rank + 1) * share]
        places = []
        for row, (down, right, _) in zip(rows, chance.tolist(), strict=True):
            number = int(self._parts[0][row])
            high, wide = self._photos.every[number].size
            places.append((number, int(down * (high - self._size[0] + 1)), int(right * (wide - self._size[1] + 1))))
        x = np.empty((share, *self.spec.shape), np.uint8)
        for i, part in enumerate(self._photos.parts(places, self._size)):
            x[i] = part[:, :, ::-1] if chance[i, 2] < 0.5 else part
        return torch.from_numpy(x)

    def held_out(self, most: int | None = None) -> Batch:
        return self._fixed(self._places(self._parts[1], HELD)[:most])

    def some(self, n: int, seed: int = 0) -> Batch:
        numbers = self._parts[0][Order(len(self)).permutation(0, mix(seed, 1))[:n].numpy()]
        return self._fixed(self._places(numbers, n)[:n])

    def _places(self, numbers: np.ndarray, wanted: int) -> list[Place]:
        """Places in photographs, the middle ones of each first round, up to about as many as are wanted in all."""
        each = ceil(wanted / max(1, len(numbers)))
        grids = [[(int(i), *place) for place in spread(self._photos.every[i].size, self._size, each)] for i in numbers]
        return [grid[k] for k in range(max(map(len, grids), default=0)) for grid in grids if k < len(grid)]

    def _fixed(self, places: list[Place]) -> Batch:
        x = np.empty((len(places), *self.spec.shape), np.uint8)
        for i, part in enumerate(self._photos.parts(places, self._size)):
            x[i] = part
        return as_batch(torch.from_numpy(x), None)


def spread(whole: Size, part: Size, most: int) -> list[tuple[int, int]]:
    """Top and left of up to `most` parts of a whole, evenly spread, none over another; those nearest its middle first."""
    rows, columns = whole[0] // part[0], whole[1] // part[1]
    down = min(rows, max(1, round(sqrt(most * whole[0] / whole[1]))))
    right = min(columns, max(1, most // down))
    down = min(rows, max(1, most // right))
    tops = [int((i + 0.5) * whole[0] / down - part[0] / 2) for i in range(down)]
    lefts = [int((i + 0.5) * whole[1] / right - part[1] / 2) for i in range(right)]
    middle = (whole[0] - part[0]) / 2, (whole[1] - part[1]) / 2
    every = [(top, left) for top in tops for left in lefts]
    return sorted(every, key=lambda at: (at[0] - middle[0]) ** 2 + (at[1] - middle[1]) ** 2)
