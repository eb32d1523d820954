"""Views: cheap features in which generated and real items are compared while training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, leaky_relu

LARGEST = 32
"""Pixels a side that are looked at; larger images are averaged down."""

View = Callable[[Tensor], Tensor]
"""Items [n, *shape] in model space on the CPU -> features [n, d]."""


def views(real: Tensor) -> list[View]:
    """One or two views fitted to real items [n, *shape], n >= 2; functions of the items alone.

    Images: 48 principal components of pixels, which see layout and brightness; 64 of what random filters answer in each
    of 16 places, which see edges and texture. Vectors: random waves of several lengths, which see where items lie at each
    scale (Rahimi & Recht 2007, "Random Features for Large-Scale Kernel Machines").
    """
    with torch.random.fork_rng([]):
        torch.default_generator.manual_seed(0)
        if real.ndim == 2:
            return [_Waves(real)]
        return [_components(real, lambda x: _flat(_small(x)), 48), _components(real, _Filters(real.shape[1]), 64)]


def _flat(x: Tensor) -> Tensor:
    return x.flatten(1)


def _small(x: Tensor) -> Tensor:
    shrink = max(1, max(x.shape[2:]) // LARGEST)
    return avg_pool2d(x, min(shrink, *x.shape[2:])) if shrink > 1 else x


class _Filters:
    """Random 5 x 5 filters that ignore brightness, rectified, random 3 x 3 ones on them, averaged in 4 x 4 places."""

    def __init__(self, channels: int) -> None:
        first = torch.randn(16, channels, 5, 5)
        self.first = (first - first.mean((1, 2, 3), keepdim=True)) / (channels * 12.5) ** 0.5
        self.second = torch.randn(32, 16, 3, 3) / 72**0.5

    def __call__(self, x: Tensor) -> Tensor:
        parts = []
        for part in _small(x).split(250):
            h = leaky_relu(conv2d(part, self.first, stride=2, padding=2), 0.2)
            parts.append(adaptive_avg_pool2d(leaky_relu(conv2d(h, self.second, padding=1), 0.2), 4).flatten(1))
        return torch.cat(parts)


class _Waves:
    """cos(w . x + b) with w ~ N(0, 1 / s^2): 24 each for s of 1/2, 1/4, 1/8 and 1/16 of the distance between two items."""

    def __init__(self, real: Tensor) -> None:
        some = real[:400]
        apart = float(torch.cdist(some, some).median()) or 1.0
        lengths = apart / torch.tensor([2.0, 4.0, 8.0, 16.0]).repeat_interleave(24)
        self.w, self.b = torch.randn(real.shape[1], 96) / lengths, 6.2832 * torch.rand(96)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.cos(x @ self.w + self.b)


@dataclass(frozen=True)
class _Components:
    inner: View
    mean: Tensor
    axes: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return (self.inner(x) - self.mean) @ self.axes


def _components(real: Tensor, inner: View, most: int) -> _Components:
    raw = inner(real)
    _, _, axes = torch.pca_lowrank(raw, q=min(most, *raw.shape))
    return _Components(inner, raw.mean(0), axes)
