"""ADA's operations with a probability that is settled beforehand: a function of the clock."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.augment.base import Augment
from zerosum.augment.pipe import Shares, pipe
from zerosum.game import Clock, Schedule, Terms


class Fixed(Augment):
    """`p(clock)`, in [0, 1], is each operation's probability; where it is 0, images pass untouched and at no cost."""

    def __init__(self, shares: Shares, p: Schedule, undecided: float = 0.0) -> None:
        super().__init__(undecided)
        self.shares, self.p = shares, p

    def augment(self, x: Tensor, clock: Clock) -> Tensor:
        p = self.p(clock)
        return pipe(x, p, self.shares) if p else x

    @torch.no_grad()
    def observe(self, logit_real: Tensor, clock: Clock) -> Terms:
        p = torch.full((), self.p(clock), device=logit_real.device)
        return super().observe(logit_real, clock) | {"p": p}
