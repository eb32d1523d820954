"""Larger images from small ones: a body of residual-in-residual dense blocks at low resolution, a short end at full size.

Wang et al. 2018, "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", section 3.1: dense blocks without
batch norm, each added to its input at a fifth of its strength, and the same again around three of them; then doublings by
nearest neighbours, each before a convolution. Where the low-resolution maps are even, so is what comes out: a pixel shuffle,
which is cheaper, can write a pattern of its own into every square, and a discriminator or a perceptual term makes it do so
(Odena et al. 2016, "Deconvolution and Checkerboard Artifacts"). Two things are smaller than the paper's, so that minutes on a
processor lead somewhere: the net learns what bicubic interpolation lacks (its last layer starts at 0, so the net starts as
bicubic interpolation), and at full size there are few channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from zerosum.layers.conv import Conv2d
from zerosum.layers.layout import channels_last
from zerosum.layers.leaky import LeakyReLU

RESIDUAL = 0.2
"""Strength at which a block is added to its input (Wang et al. 2018, section 3.1: beta)."""


def resized(x: Tensor, height: int, width: int) -> Tensor:
    """Images [n, c, h, w] -> [n, c, height, width] by bicubic interpolation, low-pass filtered where they shrink.

    Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing", with a = -1/2, the kernel stretched by the
    factor of shrinking: what Pillow's and MATLAB's bicubic do, without their rounding to 8 bits.
    """
    return interpolate(x.float(), size=(height, width), mode="bicubic", antialias=True)


class Dense(nn.Module):
    """Convolutions that each see all maps before them; the last one's output is added to the input at `RESIDUAL`."""

    def __init__(self, width: int, growth: int, layers: int) -> None:
        super().__init__()
        self.grow = nn.ModuleList(
            nn.Sequential(Conv2d(width + i * growth, growth, 3, 1, 1), LeakyReLU()) for i in range(layers - 1)
        )
        self.end = Conv2d(width + (layers - 1) * growth, width, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for layer in self.grow:
            seen = torch.cat([seen, layer(seen)], 1)
        return torch.add(x, self.end(seen), alpha=RESIDUAL)


class Block(nn.Module):
    """Three dense blocks, added to their input at `RESIDUAL`."""

    def __init__(self, width: int, growth: int, layers: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(*[Dense(width, growth, layers) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        return torch.add(x, self.dense(x), alpha=RESIDUAL)


class Larger(nn.Sequential):
    """[n, before, h, w] -> [n, after, h * times, w * times]: nearest neighbours, a convolution, a leaky ReLU."""

    def __init__(self, before: int, after: int, times: int) -> None:
        super().__init__(nn.Upsample(scale_factor=times), Conv2d(before, after, 3, 1, 1), LeakyReLU())


class Generator(nn.Module):
    """Images [n, c, h, w] in [-1, 1] -> [n, c, h * scale, w * scale], about in [-1, 1] (not clamped); any h, w >= 1.

    `blocks` of three dense blocks of `layers` convolutions; each convolution but the last adds `width` maps. `finish`
    channels at full size. `scale`: 2, 3 or 4.
    """

    def __init__(self, channels: int, scale: int, width: int = 32, blocks: int = 2, layers: int = 2, finish: int = 16) -> None:
        super().__init__()
        self.scale = scale
        self.start = Conv2d(channels, width, 3, 1, 1)
        body = [Block(width, width, layers) for _ in range(blocks)]
        self.body = nn.Sequential(*body, Conv2d(width, width, 3, 1, 1))
        steps = {2: [(2, finish)], 3: [(3, finish)], 4: [(2, width), (2, finish)]}[scale]
        self.grow = nn.Sequential(LeakyReLU(), *[Larger(width, after, times) for times, after in steps])
        self.end = Conv2d(finish, channels, 3, 1, 1)
        nn.init.zeros_(self.end.weight)
        assert self.end.bias is not None
        nn.init.zeros_(self.end.bias)

    def forward(self, x: Tensor) -> Tensor:
        h = self.start(channels_last(x))
        detail = self.end(self.grow(h + self.body(h)))
        return resized(x, x.shape[2] * self.scale, x.shape[3] * self.scale) + detail.float()
