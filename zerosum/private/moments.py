"""How often values come together: the second moments of rows, for each value of the target, measured once with noise.

A row of choices is one-hot in each of m stretches z, and y beside them is the target's. Row after row y (x) z (x) z is added
up: how many rows have each pair of values with each of the target's. A row is in one of y's tables alone, with m single values
and m (m - 1) / 2 pairs, so that it moves the whole by the root of their number, in L2, whatever else is in the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.private.key import Key

Stretch = tuple[int, int]
PART = 2000


class Pairs(nn.Module):
    """The measurement, kept as a buffer: a checkpoint has it, and nothing is measured twice."""

    def __init__(self, stretches: Sequence[Stretch], target: Stretch | None) -> None:
        """`stretches`: the choices of a row, [start, stop). `target`: the one for whose values others are counted apart."""
        super().__init__()
        self.target = target
        self.stretches = [one for one in stretches if one != target]
        places = [torch.arange(*one) for one in self.stretches]
        self.register_buffer("places", torch.cat(places), persistent=False)
        starts = np.cumsum([0, *(stop - start for start, stop in self.stretches)])
        self.blocks = [slice(int(a), int(b)) for a, b in pairwise(starts)]
        classes = 1 if target is None else target[1] - target[0]
        self.register_buffer("table", torch.zeros(classes, len(self.places), len(self.places)))
        self.register_buffer("measured", torch.zeros(()))
        self.noisy: Tensor | None = None  # the sums as they were measured, for an audit; no checkpoint has them

    places: Tensor
    table: Tensor
    measured: Tensor

    @property
    def sensitivity(self) -> float:
        """How far a row can move the sums, in L2."""
        m = len(self.stretches)
        return (m + m * (m - 1) / 2) ** 0.5

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(y [n, classes], z [n, numbers]) of rows [n, width]."""
        y = x[:, self.target[0] : self.target[1]] if self.target is not None else torch.ones_like(x[:, :1])
        return y, x[:, self.places]

    def sums(self, rows: Tensor) -> Tensor:
        """Their sums [classes, numbers, numbers], each row's part brought to a norm of `sensitivity` at most; symmetric."""
        total = torch.zeros_like(self.table, dtype=torch.float64)
        for part in rows.split(PART):
            y, z = self.parts(part)
            squares = z.square()
            norm = ((squares.sum(1).square() + squares.square().sum(1)) / 2).sqrt() * y.norm(dim=1)
            scale = (self.sensitivity / norm.clamp_min(1e-30)).clamp_max(1.0)
            total += torch.einsum("nc,na,nb->cab", y * scale[:, None], z, z).double()
        return total

    @torch.no_grad()
    def measure(self, rows: Iterable[Tensor], count: int, noise: float, key: Key) -> None:
        """Fill the buffer from rows, in parts, with noise of deviation `noise` * sensitivity on every single value and pair.

        `count`: how many rows the table has. What is kept are shares of it, brought to what shares can be.
        """
        total = torch.stack([self.sums(part) for part in rows]).sum(0)
        upper = torch.triu(torch.ones_like(total[0]))
        draw = key.normal_like(total, "pairs") * upper
        total = total + noise * self.sensitivity * (draw + torch.triu(draw, 1).mT)
        self.noisy = total
        self.table.copy_(self.possible((total / count).cpu().numpy()))
        self.measured.fill_(1.0)

    def possible(self, table: np.ndarray) -> Tensor:
        """The nearest tables in which every pair of stretches has shares that sum to the target's, none below 0."""
        sizes = np.array([block.stop - block.start for block in self.blocks], np.float64)
        diagonal = np.stack([np.diag(one) for one in table])
        sums = np.stack([[one[block].sum() for block in self.blocks] for one in diagonal])
        mass = _simplex((sums / sizes).sum(1) / (1 / sizes).sum(), 1.0)
        out = np.zeros_like(table)
        for c, share in enumerate(mass):
            for i, a in enumerate(self.blocks):
                out[c][a, a] = np.diag(_simplex(diagonal[c][a], share))
                for b in self.blocks[i + 1 :]:
                    part = table[c][a, b]
                    out[c][a, b] = _simplex(part.ravel(), share).reshape(part.shape)
                    out[c][b, a] = out[c][a, b].T
        return torch.from_numpy(out)

    def distance(self, made: Tensor) -> Tensor:
        """The squared distance between the moments of rows made [n, width] and the measured ones, in units of these, less 1.

        Unbiased in the number of rows: products of two different rows alone estimate the square of a mean.
        """
        y, z = self.parts(made.float())
        among = (y @ y.T) * (z @ z.T).square()
        n = len(made)
        own = (among.sum() - among.diagonal().sum()) / (n * (n - 1))
        between = torch.stack([((z @ one) * z).sum(1) for one in self.table], 1)
        return (own - 2 * (between * y).sum(1).mean()) / self.table.square().sum()


def _simplex(values: np.ndarray, total: float) -> np.ndarray:
    """The nearest point with no number below 0 and this sum (Duchi et al. 2008, "Efficient Projections onto the l1-Ball")."""
    if total <= 0:
        return np.zeros_like(values)
    falling = np.sort(values)[::-1]
    excess = (np.cumsum(falling) - total) / np.arange(1, len(values) + 1)
    return np.maximum(values - excess[np.flatnonzero(falling > excess)[-1]], 0.0)
