"""Norms of feature maps by name, and an instance norm that leaves channels-last maps as they are."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, instance_norm

NormName = Literal["instance", "batch", "none"]


class InstanceNorm(nn.Module):
    """Maps [n, c, h, w] -> the same, each channel of each item with mean 0 and variance 1 over its positions.

    Ulyanov et al. 2016, "Instance Normalization: The Missing Ingredient for Fast Stylization", eq. 1. With `affine`, times a
    gain and plus a bias of each channel. A map of one pixel, which torch's refuses, becomes its bias.

    torch's own copies channels-last maps to the other layout. Where a processor learns, each item goes through batch norm
    alone, which does not: 1.5 ms forward and back instead of 4.5 for [16, 64, 32, 32] in bfloat16 on one core.
    """

    def __init__(self, channels: int, affine: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] * x.shape[3] == 1:
            empty = x - x
            return empty if self.bias is None else empty + self.bias.to(x.dtype)[:, None, None]
        if torch.compiler.is_compiling() or not torch.is_grad_enabled() or x.device.type != "cpu":
            return instance_norm(x, None, None, self.weight, self.bias, True, 0.0, 1e-5)
        return torch.cat([batch_norm(item, None, None, self.weight, self.bias, True, 0.0, 1e-5) for item in x.split(1)])


def norm(name: NormName, channels: int, affine: bool = True) -> list[nn.Module]:
    """The layers of a norm: one, or none."""
    if name == "none":
        return []
    return [InstanceNorm(channels, affine) if name == "instance" else nn.BatchNorm2d(channels, affine=affine)]
