"""A generator of rows in stages: each group of columns is drawn after those before it, and knows what they turned out to be.

Drawn all at once, columns are independent of each other given the noise vector, so that every tie between them has to be
settled before any of them is chosen. The chain rule p(a, b) = p(a) p(b | a) needs no such agreement; the straight-through
gradient (Jang et al. 2017, section 2.2) goes through all of the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zerosum.layers.choices import Choices, Stretch
from zerosum.nets.tables import body


@dataclass(frozen=True)
class Group:
    """Numbers [start, stop) of a row that are made together, and the choices among them."""

    start: int
    stop: int
    stretches: tuple[Stretch, ...]


class Staged(nn.Module):
    """z [n, z_dim] and a condition [n, given] -> rows [n, width], group by group; `grain` as `Choices` takes it.

    Where the condition names a value, the choice is that value, and the groups after it know. `asked`: for each choice that can
    be asked of, where it starts in a condition, and its [start, stop) in a row. `narrow`: units of a group's own layer.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        asked: Sequence[tuple[int, Stretch]],
        z_dim: int,
        hidden: int = 256,
        depth: int = 2,
        narrow: int = 128,
        temperature: float = 0.5,
    ) -> None:
        super().__init__()
        self.groups, width = tuple(groups), groups[-1].stop
        given = max((at + stop - start for at, (start, stop) in asked), default=0)
        self.body, wide = body(z_dim + given, hidden, depth)
        self.own = nn.Linear(wide, narrow * len(groups))  # what the body says to every group's layer, in one product
        self.norms = nn.ModuleList(nn.BatchNorm1d(narrow) for _ in groups)
        self.straight = nn.Linear(wide, width)  # and past it
        self.ends = nn.ModuleList(nn.Linear(narrow, one.stop - one.start, bias=False) for one in groups)
        self.tells = nn.ModuleList(  # what a group tells those after it, all of them in one product
            nn.Linear(one.stop - one.start, narrow * (len(groups) - 1 - i), bias=False) for i, one in enumerate(groups[:-1])
        )
        self.rows = nn.ModuleList(
            Choices(one.stop - one.start, [(a - one.start, b - one.start) for a, b in one.stretches], temperature)
            for one in groups
        )
        place, owner = torch.zeros(given, dtype=torch.int64), torch.zeros(given, len(asked))
        for number, (at, (start, stop)) in enumerate(asked):
            place[at : at + stop - start] = torch.arange(start, stop)
            owner[at : at + stop - start, number] = 1.0
        self.register_buffer("place", place, persistent=False)
        self.register_buffer("owner", owner, persistent=False)
        self.width, self.narrow = width, narrow

    place: Tensor
    owner: Tensor

    def forward(self, z: Tensor, cond: Tensor, grain: Tensor | None = None) -> Tensor:
        rows = z.shape[0]  # len() would be a fixed number in a graph
        wanted, free = z.new_zeros(rows, self.width), z.new_ones(rows, self.width)
        wanted[:, self.place], free[:, self.place] = cond.to(z.dtype), 1 - (self.named(cond) @ self.owner.T).to(z.dtype)

        def own(i: int, grain: Tensor) -> Tensor:
            one = self.groups[i]
            return grain[:, one.start : one.stop] if grain.is_floating_point() else grain + i

        def made(i: int, raw: Tensor) -> Tensor:
            one = self.groups[i]
            row = self.rows[i](raw, None if grain is None else own(i, grain))
            return wanted[:, one.start : one.stop] + free[:, one.start : one.stop] * row

        return torch.cat(list(self._walk(z, cond, made)), 1)

    def unlikelihood(self, z: Tensor, cond: Tensor, x: Tensor) -> Tensor:
        """Mean over rows x [n, width] of -log p of their choices, each given z, the groups of x before it and the condition.

        By the chain rule exact given z, so that its mean over z bounds -log p of the rows from above (Jensen). Choices that
        the condition names are left out. Each group is told what x holds, not what was made (Williams & Zipser 1989, "A
        Learning Algorithm for Continually Running Fully Recurrent Neural Networks": teacher forcing).
        """
        logits: list[Tensor] = []

        def told(i: int, raw: Tensor) -> Tensor:
            logits.append(raw.float())
            return x[:, self.groups[i].start : self.groups[i].stop]

        for _ in self._walk(z, cond, told):
            pass
        free = x.new_ones(len(x), self.width)
        free[:, self.place] -= self.named(cond) @ self.owner.T
        total = x.new_zeros(())
        for one, raw in zip(self.groups, logits, strict=True):
            for start, stop in one.stretches:
                part = raw[:, start - one.start : stop - one.start]
                total = total - (x[:, start:stop] * free[:, start:stop] * part.log_softmax(1)).sum()
        return total / len(x)

    def _walk(self, z: Tensor, cond: Tensor, settle: Callable[[int, Tensor], Tensor]) -> Iterator[Tensor]:
        """What `settle(i, raw numbers of group i)` makes of each group; the groups after it are told."""
        kept = self.body(torch.cat([z, cond], 1))
        told = [[part] for part in self.own(kept).split(self.narrow, 1)]
        raw = self.straight(kept)
        for i, one in enumerate(self.groups):
            h = self.norms[i](torch.stack(told[i]).sum(0)).relu()
            row = settle(i, raw[:, one.start : one.stop] + self.ends[i](h))
            if i < len(self.tells):
                for after, part in enumerate(self.tells[i](row).split(self.narrow, 1), i + 1):
                    told[after].append(part)
            yield row

    def revealed(self, x: Tensor, shown: Tensor) -> Tensor:
        """The condition [n, given] that asks for what rows x hold, in the choices that `shown` [n, choices] has 1 for."""
        return x[:, self.place] * (shown @ self.owner.T)

    def named(self, cond: Tensor) -> Tensor:
        """Which choices a condition names, [n, choices] of 0 and 1."""
        return cond @ self.owner
