"""The pair for rows of a table: dense layers that keep what came before, an end of choices, a discriminator of packs.

Xu et al. 2019, "Modeling Tabular Data using Conditional GAN", section 4.4; packs are Lin et al. 2018, "PacGAN".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from zerosum.layers.choices import Choices, Stretch


class Keeping(nn.Module):
    """[n, wide] -> [n, wide + width]: the input beside relu(norm(linear(input)))."""

    def __init__(self, wide: int, width: int) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(wide, width), nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.norm(self.linear(x)).relu()], 1)


def body(inputs: int, hidden: int, depth: int) -> tuple[nn.Sequential, int]:
    """`depth` layers that keep what came before, from `inputs` numbers; and how many numbers come out."""
    wide = [inputs + hidden * level for level in range(depth + 1)]
    return nn.Sequential(*(Keeping(w, hidden) for w in wide[:-1])), wide[-1]


class Generator(nn.Module):
    """z [n, z_dim] (and a condition [n, given]) -> raw numbers of rows [n, width], which `row` makes rows."""

    def __init__(
        self,
        width: int,
        stretches: Sequence[Stretch],
        z_dim: int,
        hidden: int = 256,
        depth: int = 2,
        given: int = 0,
        temperature: float = 0.2,
        soft: bool = False,
    ) -> None:
        super().__init__()
        self.body, wide = body(z_dim + given, hidden, depth)
        self.end = nn.Linear(wide, width)
        self.row = Choices(width, stretches, temperature, soft)

    def raw(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What is before the choices: logits, and numbers before their tanh."""
        return self.end(self.body(z if cond is None else torch.cat([z, cond], 1)))

    def forward(self, z: Tensor, cond: Tensor | None = None, grain: Tensor | None = None) -> Tensor:
        return self.row(self.raw(z, cond), grain)


class Discriminator(nn.Module):
    """Rows [n, width] (and conditions [n, given]) -> logits [n / pack, 1]: `pack` neighbours in the batch are judged as one."""

    def __init__(
        self, width: int, hidden: int = 256, depth: int = 2, pack: int = 1, given: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.pack = pack
        wide = [pack * (width + given), *[hidden] * depth]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(wide))
        self.dropout, self.head = nn.Dropout(dropout), nn.Linear(hidden, 1)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        h = (x if cond is None else torch.cat([x, cond], 1)).reshape(len(x) // self.pack, -1)
        for layer in self.layers:
            h = self.dropout(leaky_relu(layer(h), 0.2))
        return self.head(h).float()


class Told(Discriminator):
    """A discriminator of rows that is told which choices were asked for: of a condition [n, given] it needs no more, for the
    rows hold the rest. `owner` [given, choices]: which choice a condition's numbers belong to."""

    def __init__(self, width: int, owner: Tensor, hidden: int = 256, depth: int = 2, pack: int = 1) -> None:
        super().__init__(width, hidden, depth, pack, given=owner.shape[1])
        self.register_buffer("owner", owner, persistent=False)

    owner: Tensor

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return super().forward(x, None if cond is None else cond @ self.owner)
