"""Items of a packed file that is larger than memory: the same batches as from memory, read ahead of training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from zerosum.data.source import Order, Rows, Source, Spec, as_batch
from zerosum.game import Batch
from zerosum.noise import mix

AHEAD = 4
"""Batches that are read while one is trained on."""


class Streamed(Source):
    """Images of a mapped file uint8 [slots, height, width, channels], by rows of it.

    Batch number b holds what `InMemory` would give for it, bit for bit. Items are read in their shuffled order, so the
    file should lie on a solid-state disk where it is larger than memory.
    """

    def __init__(
        self,
        spec: Spec,
        pixels: np.ndarray,
        rows: tuple[np.ndarray, np.ndarray],
        labels: tuple[Tensor | None, Tensor | None],
        known: str,
        device: str = "cpu",
    ) -> None:
        self.spec, self._pixels, self._rows, self._labels = spec, pixels, rows, labels
        self._known, self._device, self._order = known, device, Order(len(rows[0]))

    def __len__(self) -> int:
        return len(self._rows[0])

    def to(self, device: str) -> Streamed:
        return Streamed(self.spec, self._pixels, self._rows, self._labels, self._known, device)

    def fingerprint(self) -> str:
        return self._known

    def stored(self) -> tuple[Rows, Rows]:
        train, held = self._rows
        return (
            Rows(len(train), lambda at: self._take(train[at]).numpy()),
            Rows(len(held), lambda at: self._take(held[at]).numpy()),
        )

    def _take(self, slots: np.ndarray) -> Tensor:
        """uint8 [n, channels, height, width]. Read in rising order, which disks like better."""
        order = np.argsort(slots, kind="stable")
        x = np.empty((len(slots), *self._pixels.shape[1:]), np.uint8)
        for at in order:
            x[at] = self._pixels[slots[at]]
        return torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()

    def _read(self, at: int, n: int, seed: int) -> tuple[Tensor, Tensor | None]:
        rows = self._order.rows(at, n, seed)
        x, y = self._take(self._rows[0][rows.numpy()]), self._labels[0]
        y = None if y is None else y[rows]
        if self._device.startswith("cuda"):
            x, y = x.pin_memory(), None if y is None else y.pin_memory()
        return x, y

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        share = size // world
        at = start * size + rank * share
        waiting: deque[Future[tuple[Tensor, Tensor | None]]] = deque()
        with ThreadPoolExecutor(1, "read-ahead") as reader:  # one: the order's memory is of one epoch
            try:
                while True:
                    while len(waiting) < AHEAD:
                        waiting.append(reader.submit(self._read, at, share, seed))
                        at += size
                    x, y = waiting.popleft().result()
                    y = None if y is None else y.to(self._device, non_blocking=True)
                    yield as_batch(x.to(self._device, non_blocking=True), y)
            finally:
                for future in waiting:
                    future.cancel()

    def held_out(self, most: int | None = None) -> Batch:
        y = self._labels[1]
        return as_batch(self._take(self._rows[1][:most]), None if y is None else y[:most])

    def some(self, n: int, seed: int = 0) -> Batch:
        rows = Order(len(self)).permutation(0, mix(seed, 1))[:n]
        y = self._labels[0]
        return as_batch(self._take(self._rows[0][rows.numpy()]), None if y is None else y[rows])
