"""Features "pixels": the numbers themselves, for images too small to need a network."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from zerosum.data.source import Source
from zerosum.metrics.features.base import Features, weights_hash


class Flat(nn.Module):
    """Images [n, c, h, w] -> (their numbers [n, c * h * w], None)."""

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return x.flatten(1) * self.scale, None


def accepts(wanted: str) -> bool:
    """Whether this is `pixels`."""
    return wanted == "pixels"


def load(wanted: str, source: Source, device: str, download: bool = False) -> Features:
    """Pixels of the source's images as features."""
    net = Flat().to(device)
    return Features("pixels", "pixels in [-1, 1]", weights_hash(net, "pixels"), prod(source.spec.shape), net)
