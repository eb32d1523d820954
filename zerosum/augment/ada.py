"""Adaptive augmentation: as much as keeps the discriminator from being sure of the real images, and no more.

Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", section 3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum import parallel
from zerosum.augment.base import Augment
from zerosum.augment.pipe import Shares, pipe
from zerosum.game import Clock, Terms

BATCHES = 4
"""Batches between changes of p."""


class Ada(Augment):
    """p starts at 0. After every four batches it moves by (items seen) / (1000 kimg), up where D was too sure, else down.

    Sure is measured as r_t = E[sign D(x)], x real and augmented: 0 where D does not know them, 1 where it knows each one.
    Of a D that judges patches every patch's sign counts, and an item is one item however many patches it has.
    `batch`: items in a batch over all ranks. `target`: the r_t that is steered for. `kimg`: thousand items in which p can
    go from 0 to 1. p and the signs counted so far are buffers, so a resumed run goes on exactly.
    """

    p: Tensor
    sum: Tensor
    seen: Tensor

    def __init__(self, shares: Shares, batch: int, target: float = 0.6, kimg: float = 500.0, undecided: float = 0.0) -> None:
        super().__init__(undecided)
        self.shares, self.window, self.target, self.kimg = shares, BATCHES * batch, target, kimg
        for name in ("p", "sum", "seen"):  # of signs: their sum and their number since p last moved
            self.register_buffer(name, torch.zeros(()))

    def augment(self, x: Tensor, clock: Clock) -> Tensor:
        # A GPU is not asked for the value of p: the answer would have to wait for all the work before it.
        return x if x.device.type == "cpu" and not self.p else pipe(x, self.p, self.shares)

    @torch.no_grad()
    def observe(self, logit_real: Tensor, clock: Clock) -> Terms:
        signs, items = self.signs(logit_real), len(logit_real) * parallel.world()
        each = logit_real[0].numel()  # logits of an item: the sum of signs stays a whole number, so it is exact
        self.sum += signs
        self.seen += items
        full = self.seen >= self.window
        step = (self.sum / (each * self.seen) - self.target).sign() * self.seen / (1000 * self.kimg)
        self.p.copy_(torch.where(full, (self.p + step).clamp(0, 1), self.p))
        self.sum *= ~full
        self.seen *= ~full
        return {"r_t": signs / (each * items), "p": self.p.clone()}
