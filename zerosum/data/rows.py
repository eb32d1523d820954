"""TableSource: rows of a table kept compact, drawn by the natural law or by the law of training by sampling."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from zerosum.data.found import Found
from zerosum.data.poisson import PoissonSource
from zerosum.data.redrawn import Redrawn
from zerosum.data.source import Order, Rows, Source, Spec
from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.noise import mix
from zerosum.private.key import Key
from zerosum.private.ledger import Ledger
from zerosum.tables.codec import Codec, Compact

if TYPE_CHECKING:
    import pandas as pd

STREAM = 2**31 + 5  # tells this file's random words from every other use of the same seed and cursor


class TableSource(Source):
    """A table's training rows in model space, x [n, width]: epoch after epoch in a new order each (the natural law)."""

    def __init__(
        self,
        spec: Spec,
        codec: Codec,
        frame: pd.DataFrame,
        parts: tuple[np.ndarray, np.ndarray],
        rows: tuple[Compact, Compact],
        found: Found | None = None,
        key: Key | None = None,
    ) -> None:
        """`parts`: the numbers of the training rows and of the held-out ones in the table; `rows`: the same, compact.

        `key`: of the noise, where rows are private.
        """
        self.spec, self.codec, self.found, self.key = spec, codec, found, key
        self._frame, self._parts, self._rows, self._held = frame, parts, *rows
        self._order = Order(len(self._rows), self._rows.codes.device)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def train_frame(self) -> pd.DataFrame:
        """The training rows as they came."""
        return self._frame.iloc[self._parts[0]]

    @property
    def held_frame(self) -> pd.DataFrame:
        """The rows held out of training as they came."""
        return self._frame.iloc[self._parts[1]]

    def stored(self) -> tuple[Rows, Rows]:
        def rows(part: Compact) -> Rows:
            return Rows(len(part), lambda at: self.codec.expand(part[torch.from_numpy(at)]).cpu().numpy())

        return rows(self._rows), rows(self._held)

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        share = size // world
        at = start * size + rank * share
        while True:
            yield {"x": self.codec.expand(self._rows[self._order.rows(at, share, seed)])}
            at += size

    def by_sampling(self) -> Source:
        """The same rows by the law of training by sampling, with conditions; itself where nothing can be asked."""
        return BySampling(self) if self.codec.condition_width else self

    def by_poisson(self) -> PoissonSource:
        """The same rows by Poisson sampling. Raises UserError where there is no key: rows are not private then."""
        if self.key is None:
            raise UserError("these rows were opened without a budget: give dp_epsilon")
        return PoissonSource(self.spec, self.codec, self._rows, self._held, self.key)

    def held_out(self, most: int | None = None) -> Batch:
        return {"x": self.codec.expand(self._held[slice(0, most)]).cpu()}

    def some(self, n: int, seed: int = 0) -> Batch:
        return {"x": self.codec.expand(self._rows[self._order.permutation(0, mix(seed, 1))[:n]]).cpu()}

    def fingerprint(self) -> str:
        import pandas as pd

        digest = sha256(repr((list(self._frame.columns), [str(kind) for kind in self._frame.dtypes])).encode())
        for part in self._parts:
            digest.update(pd.util.hash_pandas_object(self._frame.iloc[part], index=False).to_numpy().tobytes())
        return digest.hexdigest()

    def to(self, device: str) -> TableSource:
        rows = self._rows.to(device), self._held
        return TableSource(self.spec, self.codec, self._frame, self._parts, rows, self.found, self.key)


class BySampling(Redrawn[TableSource]):
    """A table's rows by training by sampling: {"x" [n, width], "cond" [n, condition_width]}.

    Xu et al. 2019, "Modeling Tabular Data using Conditional GAN", section 4.3: a discrete column, uniformly; one of its values,
    by the logarithm of its frequency; a training row that has it, uniformly. "cond" is one-hot: what was asked.
    """

    def __init__(self, inner: TableSource) -> None:
        super().__init__(inner)
        codec, rows = inner.codec, inner._rows
        device = rows.codes.device
        choices = [span for span in codec.spans if span.kind == "choice"]
        parts: list[list[Tensor]] = [[], [], [], []]
        law, order, first, counts = parts
        for place, span in enumerate(choices):
            if span.condition is None:
                continue
            codes = rows.codes[:, place].long().cpu()
            count = torch.bincount(codes, minlength=span.size)
            weight = torch.log1p(count.double())
            law.append(len(law) + (weight / weight.sum()).cumsum(0))
            first.append(len(order) * len(codes) + count.cumsum(0) - count)
            order.append(codes.argsort(stable=True).int())
            counts.append(count)
        self._columns = len(law)
        self._law, self._first, self._count = (torch.cat(part).to(device) for part in (law, first, counts))
        self._sorted = torch.cat(order).to(device)

    def __len__(self) -> int:
        return len(self._inner)

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        cursor, rows, width = start, self._inner._rows, self._inner.codec.condition_width
        device = rows.codes.device
        generator = torch.Generator()
        while True:
            chance = torch.rand(size, 3, dtype=torch.float64, generator=generator.manual_seed(mix(seed, cursor, STREAM)))
            chance = chance.chunk(world)[rank].to(device)
            asked = self._asked(chance)
            picked = self._first[asked] + (chance[:, 2] * self._count[asked]).long()
            cond = torch.zeros(len(asked), width, device=device).scatter_(1, asked[:, None], 1.0)
            yield {"x": self._inner.codec.expand(rows[self._sorted[picked].long()]), "cond": cond}
            cursor += 1

    def _asked(self, chance: Tensor) -> Tensor:
        """The number of the value that is asked, int64 [n]: values that no row has have no width in the law."""
        column = (chance[:, 0] * self._columns).floor()
        return torch.searchsorted(self._law, column + chance[:, 1], right=True).clamp_(max=len(self._law) - 1)

    def to(self, device: str) -> Source:
        return self._inner.to(device).by_sampling()


def from_frame(
    frame: pd.DataFrame,
    codec: Codec,
    parts: tuple[np.ndarray, np.ndarray],
    origin: str,
    found: Found | None = None,
    key: Key | None = None,
    ledger: Ledger | None = None,
) -> TableSource:
    """A source from a table, a codec and the numbers of its training and held-out rows; `key`, `ledger`: if private."""
    private = ledger.to_json() if ledger is not None else {}
    spec = Spec("tables", (codec.width,), origin=origin, items=len(parts[0]), table=codec.to_json(), private=private)
    rows = codec.compact(frame.iloc[parts[0]]), codec.compact(frame.iloc[parts[1]])
    return TableSource(spec, codec, frame, parts, rows, found, key)
