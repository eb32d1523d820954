"""The pair of R3GAN: residual blocks without normalisation, for images of any size.

Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN", section 4 and appendix: bottlenecks turned
inside out (1x1, grouped 3x3 of twice the channels, 1x1) as in ResNeXt (Xie et al. 2017), bilinear resampling, weights as in
Fixup (Zhang et al. 2019): block weights shrink with the number of blocks, and each block begins as the identity.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import TypeVar

import torch
from torch import Tensor, nn

from zerosum.layers.conv import Conv2d
from zerosum.layers.layout import channels_last
from zerosum.layers.leaky import LeakyReLU
from zerosum.layers.resample import double, halve
from zerosum.nets.shapes import pyramid, tapered

Layer = TypeVar("Layer", bound=nn.Module)

GROUP = 16
"""Channels in a group of the 3x3 convolutions, for all widths of the paper but those of its ImageNet runs (32)."""


def drawn(layer: Layer, gain: float = 1.0) -> Layer:
    """Weights from N(0, gain^2 / fan-in), no bias other than 0. Returns the layer."""
    for name, p in layer.named_parameters():
        if name == "bias":
            nn.init.zeros_(p)
        else:
            nn.init.normal_(p, 0.0, gain / sqrt(p[0].numel()))
    return layer


class Block(nn.Module):
    """x + 1x1(lrelu(3x3 in groups(lrelu(1x1(x))))), the two inner maps of twice the channels.

    `depth`: blocks in the whole net. Both inner convolutions have gain sqrt(2 / 1.04) * depth^(-1/4), the last begins at 0.
    """

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        inner, gain = 2 * channels, sqrt(2 / 1.04) * depth ** (-1 / 4)
        self.layers = nn.Sequential(
            drawn(Conv2d(channels, inner, 1), gain),
            LeakyReLU(),
            drawn(Conv2d(inner, inner, 3, 1, 1, groups=max(1, inner // GROUP)), gain),
            LeakyReLU(),
            drawn(Conv2d(inner, channels, 1, bias=False), 0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def _stages(
    shape: tuple[int, ...], width: int, blocks: int, full: int
) -> tuple[list[tuple[int, int]], list[int], nn.ModuleList]:
    """Sizes, channels and blocks of each stage, the smallest first."""
    sizes = pyramid(*shape[1:])
    widths = [tapered(width, size, full) for size in sizes]
    depth = blocks * len(sizes)
    return sizes, widths, nn.ModuleList(nn.Sequential(*(Block(c, depth) for _ in range(blocks))) for c in widths)


def _change(before: int, after: int) -> nn.Module:
    """A change of channels, and nothing where there is none."""
    return drawn(Conv2d(before, after, 1, bias=False)) if before != after else nn.Identity()


class Generator(nn.Module):
    """z [n, z_dim] (and labels [n]) -> images [n, c, h, w], within [-1, 1] in eval mode and about there in training.

    `width`: channels, a multiple of 8, of stages up to `full` pixels; they halve with each doubling beyond. `blocks`: in
    each stage. Labels enter as an embedding as long as z, beside it.
    """

    def __init__(
        self, shape: tuple[int, ...], z_dim: int, width: int, blocks: int = 2, full: int = 32, classes: int = 0
    ) -> None:
        super().__init__()
        self.sizes, widths, self.stages = _stages(shape, width, blocks, full)
        self.label = drawn(nn.Linear(classes, z_dim, bias=False)) if classes else None
        self.basis = nn.Parameter(torch.randn(1, widths[0], *self.sizes[0]))
        self.start = drawn(nn.Linear(2 * z_dim if classes else z_dim, widths[0], bias=False))
        self.change = nn.ModuleList(_change(a, b) for a, b in pairwise(widths))
        self.end = drawn(Conv2d(widths[-1], shape[0], 1, bias=False))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if self.label is not None and y is not None:
            z = torch.cat([z, y.to(z.dtype) @ self.label.weight.t() if y.is_floating_point() else self.label.weight.t()[y]], 1)
        x = channels_last(self.basis * self.start(z)[..., None, None])
        for stage, size, change in zip(self.stages, self.sizes[1:], self.change, strict=False):
            x = double(change(stage(x)), size)
        x = self.end(self.stages[-1](x))
        return x if self.training else x.clamp(-1, 1)


class Discriminator(nn.Module):
    """Images [n, c, h, w] (and labels [n]) -> logits [n, 1]. Labels enter as a projection at the end."""

    def __init__(self, shape: tuple[int, ...], width: int, blocks: int, full: int, classes: int = 0) -> None:
        super().__init__()
        sizes, widths, self.stages = _stages(shape, width, blocks, full)
        top = widths[0]
        self.start = drawn(Conv2d(shape[0], widths[-1], 1, bias=False))
        self.change = nn.ModuleList(_change(b, a) for a, b in pairwise(widths))
        self.pool = nn.Parameter(torch.randn(1, top, *sizes[0]) / sqrt(sizes[0][0] * sizes[0][1]))
        self.head = drawn(nn.Linear(top, top if classes else 1, bias=False))
        self.label = drawn(nn.Linear(classes, top, bias=False), 1 / sqrt(top)) if classes else None

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.start(channels_last(x))
        for i in range(len(self.stages) - 1, 0, -1):
            x = self.change[i - 1](halve(self.stages[i](x)))
        x = self.stages[0](x)
        with torch.autocast(x.device.type, enabled=False):
            # A depthwise convolution over the whole map is a weighted sum over its positions.
            h = self.head((x.float() * self.pool).sum((2, 3)))
            return (h * self.label.weight.t()[y]).sum(1, keepdim=True) if self.label is not None and y is not None else h
