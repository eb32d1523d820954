"""A glance: features of untrained random layers. They cost next to nothing and see collapse and gross change, no more.

Good enough to follow one run while it trains; not for a number that anybody reports.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, leaky_relu

from zerosum.metrics.features.base import Features, as_bytes, weights_hash

LARGEST = 32
"""Pixels a side that are looked at; larger images are averaged down."""

MOST = 4.0
"""Standard deviations at which a feature is cut off: the kernel takes sixth powers, and one outlier would drown the rest."""


def glance(real: Tensor, seed: int = 0) -> Features:
    """Features fitted to some real items [n, *shape] in model space: [n, 128] from images, [n, 64] from vectors.

    Each feature has mean 0 and variance 1 over the real items, so that `kid` weighs all alike. 256 items or more are
    enough to fit; the weights are a function of (shape, seed). 500 images of 32 x 32 take some 30 ms on one core.
    """
    generator = torch.Generator().manual_seed(seed)
    kind = _Convolutions if real.ndim == 4 else _Units
    net = kind(real.shape[1], generator)
    whole = _Standardised(net.eval())
    with torch.no_grad():
        raw = torch.cat([net(as_bytes(part)) for part in real.split(500)])
    whole.mean.copy_(raw.mean(0))
    whole.scale.copy_(raw.std(0).clamp_min(1e-3 * raw.std() + 1e-12))
    how = f"random layers, seed {seed}, standardised on {len(real):,} real items"
    return Features("glance", how, weights_hash(whole, how), raw.shape[1], whole)


class _Convolutions(nn.Module):
    """Three random 3 x 3 convolutions, of stride 2 down to 4 pixels a side; mean and spread of each of the last 64 maps."""

    dim = 128

    def __init__(self, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = (channels, 16, 32, 64)
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(o, i, 3, 3, generator=generator) * (2 / (9 * i)) ** 0.5, requires_grad=False)
            for i, o in pairwise(widths)
        )

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        shrink = max(height, width) // LARGEST
        if shrink > 1:
            x = avg_pool2d(x, min(shrink, height, width))
        for weight in self.weights:
            stride = 2 if min(x.shape[2:]) >= 8 else 1
            x = leaky_relu(conv2d(x, weight, stride=stride, padding=1), 0.2)
        return torch.cat([x.mean((2, 3)), x.flatten(2).std(2, correction=0)], 1)


class _Units(nn.Module):
    """Two layers of random rectified units."""

    dim = 64

    def __init__(self, numbers: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = (numbers + 1, 256, 64)
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(i, o, generator=generator) * (2 / i) ** 0.5, requires_grad=False)
            for i, o in pairwise(widths)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x, torch.ones(len(x), 1, device=x.device)], 1)
        return leaky_relu(x @ self.weights[0], 0.2) @ self.weights[1]


class _Standardised(nn.Module):
    mean: Tensor
    scale: Tensor

    def __init__(self, inner: _Convolutions | _Units) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("mean", torch.zeros(inner.dim))
        self.register_buffer("scale", torch.ones(inner.dim))

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return ((self.inner(x) - self.mean) / self.scale).clamp(-MOST, MOST), None
