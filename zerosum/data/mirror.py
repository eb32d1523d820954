"""Images mirrored left to right at random, on the training device: twice the data where left and right mean the same."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from zerosum.data.redrawn import Redrawn
from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.noise import mix

STREAM = 2**31 + 3  # tells this file's random words from every other use of the same seed and cursor


class Mirrored(Redrawn[Source]):
    """Another source's images, half of them mirrored; which ones is a function of (seed, cursor).

    Raises UserError where the source holds no images.
    """

    def __init__(self, inner: Source) -> None:
        if inner.spec.kind != "images":
            raise UserError(f"mirror is for images, and {inner.spec.origin} holds {inner.spec.kind}: leave it out")
        super().__init__(inner)

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        for cursor, batch in enumerate(self._inner.batches(size, seed, start, rank, world), start):
            chance = torch.rand(size, generator=torch.Generator().manual_seed(mix(seed, cursor, STREAM)))
            flip = (chance < 0.5).chunk(world)[rank].to(batch["x"].device)[:, None, None, None]
            yield {name: torch.where(flip, x.flip(3), x) if x.ndim == 4 else x for name, x in batch.items()}

    def to(self, device: str) -> Mirrored:
        return Mirrored(self._inner.to(device))
