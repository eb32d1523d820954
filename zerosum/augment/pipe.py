"""ADA's pipeline: each operation with probability p, geometry first, then colours, then a hole."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.augment import colour, cutout, geometry
from zerosum.augment.base import wide


@dataclass(frozen=True)
class Shares:
    """The probability of each group of operations as a share of p; 0 leaves the group out."""

    geometry: float = 1.0
    colour: float = 1.0
    cutout: float = 0.0


BGC = Shares()
"""Mirroring, turns, shifts, scales and colours: what Karras et al. 2020 (ADA) use throughout."""

R3GAN = Shares(1.0, 0.5, 1.0)
"""The same with half the colours and with holes: Huang et al. 2024 (R3GAN)."""


def pipe(x: Tensor, p: Tensor | float, shares: Shares = BGC) -> Tensor:
    """Images [n, c, h, w] augmented, each on its own. An image that no operation was drawn for stays as it is, bit for bit.

    Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", appendix B. Draws come from the shared
    stream. p is a number or a scalar tensor in [0, 1].
    """
    n, c, h, w = x.shape
    with torch.autocast(x.device.type, enabled=False):
        x = wide(x)
        if shares.geometry:
            x = geometry.warp(x, geometry.draw(n, h, w, p * shares.geometry, x.device))
        if shares.colour:
            x = colour.apply(x, colour.draw(n, c, p * shares.colour, x.device))
        if shares.cutout:
            x = x * cutout.draw(n, h, w, p * shares.cutout, x.device).to(x.dtype)
        return x
