"""Filling holes: a net of gated convolutions, for images of any size that is a multiple of 8.

Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution", section 3.1, eq. 2: every convolution's output is
multiplied by a sigmoid of a second one, which learns at each position how far to trust what is seen there. The form is smaller
than theirs, so that minutes on a processor lead somewhere: one stage, four pixels are one position of four times the channels
from the start, and maps of one size are handed over to the way up as in a U-Net. Dilated convolutions in the middle see far, as
theirs do. The net learns what a smooth filling lacks: its last layer starts at 0.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, elu, interpolate, pad, pixel_shuffle, pixel_unshuffle

from zerosum.layers.conv import Conv2d
from zerosum.layers.layout import channels_last

MULTIPLE = 8
"""What heights and widths must be divisible by."""
ROUNDS, MOST = 2, 8
"""How often pixels of a hole become the mean of their neighbours: at full size, and at the small sizes at most."""


class Gated(nn.Module):
    """[n, before, h, w] -> [n, after, h, w]: ELU of one convolution times the sigmoid of another. `stride` 2 halves h and w."""

    def __init__(self, before: int, after: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        kernel, padding = (4, 1) if stride == 2 else (3, dilation)
        self.conv = Conv2d(before, 2 * after, kernel, stride, padding, dilation)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.conv(x).chunk(2, 1)
        return elu(value) * gate.sigmoid()


class Generator(nn.Module):
    """Images [n, c, h, w] with holes and masks [n, 1, h, w] of them -> images [n, c, h, w], about in [-1, 1] (not clamped)."""

    def __init__(self, channels: int, width: int = 32, blocks: int = 4) -> None:
        super().__init__()
        self.start = Gated(4 * (channels + 1), width)
        self.down1, self.down2 = Gated(width, 2 * width, stride=2), Gated(2 * width, 4 * width, stride=2)
        self.middle = nn.ModuleList(Gated(4 * width, 4 * width, dilation=2 ** (i % 3)) for i in range(blocks))
        self.up2, self.up1 = Gated(6 * width, 2 * width), Gated(3 * width, width)
        self.end = Conv2d(width, 4 * channels, 3, 1, 1)
        nn.init.zeros_(self.end.weight)
        assert self.end.bias is not None
        nn.init.zeros_(self.end.bias)

    def forward(self, a: Tensor, mask: Tensor) -> Tensor:
        smooth = smoothed(a, mask)
        half = self.start(channels_last(pixel_unshuffle(torch.cat([smooth, mask], 1), 2)))
        quarter = self.down1(half)
        h = self.down2(quarter)
        for block in self.middle:
            h = h + block(h)
        h = self.up2(torch.cat([interpolate(h, scale_factor=2), quarter], 1))
        h = self.up1(torch.cat([interpolate(h, scale_factor=2), half], 1))
        return smooth + pixel_shuffle(self.end(h), 2).float()


def smoothed(a: Tensor, mask: Tensor) -> Tensor:
    """Images whose holes are filled smoothly from their rims, without learning; known pixels are as they were.

    Pull and push (Gortler et al. 1996, "The Lumigraph", section 3.4.2): means of what is known at ever smaller sizes, then back
    up, each size where the finer one knows nothing. At every size a few rounds bring the hole nearer to the membrane that its
    rim holds, where each pixel is the mean of its four neighbours; twice as many at each smaller size, where they reach twice
    as far and cost a quarter (Bornemann and Deuflhard 1996, "The cascadic multigrid method for elliptic problems"). Any size.
    """
    known = (mask <= 0.5).float()
    return _pushed(a.float(), known, ROUNDS)


def _pushed(x: Tensor, known: Tensor, rounds: int) -> Tensor:
    height, width = x.shape[2:]
    if max(height, width) == 1:
        return x
    weight = avg_pool2d(known, 2, ceil_mode=True)
    mean = avg_pool2d(x * known, 2, ceil_mode=True) / weight.clamp(min=1e-6)
    coarse = _pushed(mean, (4 * weight).clamp(max=1), min(2 * rounds, MOST))
    up = interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    hole = known < 0.5
    made = torch.where(hole, up, x)
    for _ in range(rounds):
        made = torch.where(hole, _neighbours(made), x)
    return made


def _neighbours(x: Tensor) -> Tensor:
    """The mean of every pixel's four neighbours; beyond an edge lies the edge again."""
    x = pad(x, (1, 1, 1, 1), mode="replicate")
    if torch.compiler.is_exporting():  # slower, but one operation of a graph; slices of any size are twenty
        cross = x.new_tensor([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / 4
        return conv2d(x, cross.expand(x.shape[1], 1, 3, 3), groups=x.shape[1])
    return (x[:, :, :-2, 1:-1] + x[:, :, 2:, 1:-1] + x[:, :, 1:-1, :-2] + x[:, :, 1:-1, 2:]) / 4


def filled(made: Tensor, a: Tensor, mask: Tensor) -> Tensor:
    """`made` where the mask is 1, and `a` bit for bit elsewhere."""
    return torch.where(mask > 0.5, made, a)
