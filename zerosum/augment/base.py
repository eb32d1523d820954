"""What every augmentation is: a module without parameters, which sits between images and the discriminator."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from zerosum import parallel
from zerosum.game import Clock, Terms


class Augment(nn.Module, ABC):
    """Its work has names of its own and not `forward`, so that compiling the nets in place leaves it eager."""

    def __init__(self, undecided: float = 0.0) -> None:
        """`undecided`: the logit of an item that D holds for as likely real as generated."""
        super().__init__()
        self.undecided = undecided

    @abstractmethod
    def augment(self, x: Tensor, clock: Clock) -> Tensor:
        """Images [n, c, h, w] in [-1, 1] -> the same shape, in float32 or wider (or x itself); twice differentiable by x."""

    @torch.no_grad()
    def observe(self, logit_real: Tensor, clock: Clock) -> Terms:
        """Look at D's logits on augmented real images [n, ...], n items; what is to be logged, detached."""
        return {"r_t": self.signs(logit_real) / (logit_real.numel() * parallel.world())}

    def signs(self, logit: Tensor) -> Tensor:
        """The sum over all ranks of the signs of logits, a whole number."""
        return parallel.total((logit.float() - self.undecided).sign().sum())


def wide(x: Tensor) -> Tensor:
    """x in float32, or float64 where it is that: pixels are not to be moved in bfloat16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
