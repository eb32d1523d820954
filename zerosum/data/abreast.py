"""Abreast: pairs that are larger than memory, each side a stream of its own, read in one order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

import torch

from zerosum.data.source import Rows, Source, Spec
from zerosum.data.streamed import Streamed
from zerosum.game import Batch


class Abreast(Source):
    """Batches are those that `paired.Paired` would give, bit for bit: `a` [n, channels of all inputs, h, w] and `x`."""

    def __init__(self, spec: Spec, inputs: Sequence[Streamed], x: Streamed) -> None:
        """`inputs`: in the order of `spec.given`; all have the same rows, and so the same order."""
        self.spec, self._inputs, self._x = spec, list(inputs), x

    def __len__(self) -> int:
        return len(self._x)

    def to(self, device: str) -> Abreast:
        source = Abreast(self.spec, [part.to(device) for part in self._inputs], self._x.to(device))
        source.found = self.found
        return source

    def stored(self) -> tuple[Rows, Rows]:
        return self._x.stored()

    def apart(self) -> tuple[Source, Source]:
        """The first input and the outputs, each as plain items, split as the pairs are."""
        return self._inputs[0], self._x

    def fingerprint(self) -> str:
        parts = [part.fingerprint() for part in (*self._inputs, self._x)]
        return sha256(repr((dict(self.spec.given), self.spec.made, self.spec.shape, parts)).encode()).hexdigest()

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        for parts in zip(*(part.batches(size, seed, start, rank, world) for part in (*self._inputs, self._x)), strict=True):
            yield _beside(parts)

    def held_out(self) -> Batch:
        return _beside([part.held_out() for part in (*self._inputs, self._x)])

    def some(self, n: int, seed: int = 0) -> Batch:
        return _beside([part.some(n, seed) for part in (*self._inputs, self._x)])


def _beside(parts: Sequence[Batch]) -> Batch:
    return {"a": torch.cat([part["x"] for part in parts[:-1]], 1), "x": parts[-1]["x"]}
