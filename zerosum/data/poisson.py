"""PoissonSource: rows of a table in batches that each row is in or not, by a coin of its own; and the key that tosses it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from zerosum.data.source import Rows, Source, Spec
from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.private.key import Key
from zerosum.tables.codec import Codec, Compact

PART = 5000


class PoissonSource(Source):
    """Compact rows, drawn by Poisson sampling: batches {"x": [n, width]} of any n, 0 included.

    A batch is a function of (key, cursor); the seed, which is no secret, has no part in it. `size` over
    the number of rows is each row's chance.
    """

    def __init__(self, spec: Spec, codec: Codec, rows: Compact, held: Compact, key: Key) -> None:
        self.spec, self.codec, self.key, self._rows, self._held = spec, codec, key, rows, held

    def __len__(self) -> int:
        return len(self._rows)

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        if world > 1:
            raise UserError("differential privacy is for one process: start it without torchrun")
        cursor, rate = start, min(1.0, size / len(self))
        while True:
            chosen = np.flatnonzero(self.key.uniform(len(self), "rows", cursor) < rate)
            rows = torch.from_numpy(chosen).to(self._rows.codes.device)
            yield {"x": self.codec.expand(self._rows[rows])}
            cursor += 1

    def whole(self) -> Iterator[torch.Tensor]:
        """All training rows in model space, a part at a time."""
        for start in range(0, len(self), PART):
            yield self.codec.expand(self._rows[slice(start, start + PART)])

    def stored(self) -> tuple[Rows, Rows]:
        def rows(part: Compact) -> Rows:
            return Rows(len(part), lambda at: self.codec.expand(part[torch.from_numpy(at)]).cpu().numpy())

        return rows(self._rows), rows(self._held)

    def held_out(self, most: int | None = None) -> Batch:
        return {"x": self.codec.expand(self._held[slice(0, most)]).cpu()}

    def some(self, n: int, seed: int = 0) -> Batch:
        raise UserError("rows of a private training are read by its mechanisms alone: nothing may look at some of them")

    def fingerprint(self) -> str:
        return ""  # a hash of rows would let anyone test guesses of them

    def to(self, device: str) -> PoissonSource:
        return PoissonSource(self.spec, self.codec, self._rows.to(device), self._held, self.key)
