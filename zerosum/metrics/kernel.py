"""Kernel distance between two sets of features: an unbiased squared maximum mean discrepancy."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.metrics.case import Case
from zerosum.metrics.intervals import GROUPS, jackknife, part_count
from zerosum.metrics.score import Score

QUICK = False
ROWS = 1000
"""Rows of a kernel matrix that are in memory at once."""


def kid(a: Tensor, b: Tensor) -> float:
    """Unbiased squared MMD between features a [n, d] and b [m, d] with the kernel (x . y / d + 1)^3; n, m >= 2.

    0 on average for two samples of one law whatever their sizes, so it can be slightly negative. It is the KID only where
    the official Inception network made the features. Binkowski et al. 2018, "Demystifying MMD GANs", section 3, eq. 4.
    """
    return Kernel(a, b, groups=1).value()


class Kernel:
    """The sums over kernel matrices that `kid` is made of, by groups of items, so that leaving a group out costs nothing.

    The items of each side are cut into `groups` consecutive parts.
    """

    def __init__(self, a: Tensor, b: Tensor, groups: int) -> None:
        a, b = a.double(), b.double()
        parts = a.tensor_split(groups), b.tensor_split(groups)
        self.sizes = [torch.tensor([len(part) for part in side], dtype=torch.float64) for side in parts]
        self.within = [_sums(side, side) - torch.diag(_diagonals(side)) for side in parts]
        self.between = _sums(*parts)

    def value(self) -> float:
        """The distance between all of a and all of b."""
        ones = torch.ones(len(self.between), dtype=torch.float64)
        return self._of(ones, ones)

    def without(self) -> list[list[float]]:
        """The distances with each group of a left out, and with each group of b left out."""
        count = len(self.between)
        ones, left = torch.ones(count, dtype=torch.float64), 1 - torch.eye(count, dtype=torch.float64)
        return [[self._of(keep, ones) for keep in left], [self._of(ones, keep) for keep in left]]

    def _of(self, keep_a: Tensor, keep_b: Tensor) -> float:
        n, m = (keep_a * self.sizes[0]).sum(), (keep_b * self.sizes[1]).sum()
        within_a = keep_a @ self.within[0] @ keep_a / (n * (n - 1))
        within_b = keep_b @ self.within[1] @ keep_b / (m * (m - 1))
        return float(within_a + within_b - 2 * (keep_a @ self.between @ keep_b) / (n * m))


def _sums(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> Tensor:
    """Sums of the kernel matrix's blocks [groups of a, groups of b]."""
    total = torch.zeros(len(a), len(b), dtype=torch.float64)
    whole, ends = torch.cat(b), torch.tensor([len(part) for part in b])
    for i, part in enumerate(a):
        for rows in part.split(ROWS):
            columns = (rows @ whole.T).div_(whole.shape[1]).add_(1).pow_(3).sum(0)
            total[i] += torch.stack([block.sum() for block in columns.split(ends.tolist())])
    return total


def _diagonals(parts: tuple[Tensor, ...]) -> Tensor:
    return torch.stack([(part.square().sum(1) / part.shape[1] + 1).pow(3).sum() for part in parts])


def applies(case: Case) -> bool:
    """Any images."""
    return case.spec.kind == "images"


def measure(case: Case) -> list[Score]:
    """The distance between generated and held-out images."""
    made, held, train, trivial = (case.seen(side) for side in ("made", "held", "train", "trivial"))
    sums = Kernel(made, held, groups=GROUPS)
    value = sums.value()
    enough = min(part_count(len(made)), part_count(len(held))) >= 3
    low, high = jackknife(value, sums.without()) if enough else (None, None)
    counts = (
        f"{len(made):,} generated against {len(held):,} held-out real images; real: {len(train):,} training images; "
        f"trivial: {len(trivial):,} of independent pixels; interval: jackknife over tenths"
    )
    name = case.name("kernel distance", "KID")
    protocol = case.protocol("unbiased squared MMD, kernel (x . y / d + 1)^3, of all pairs at once", counts)
    return [Score(name, value, "lower", kid(train, held), kid(trivial, held), protocol, low, high)]
