"""The pair of `swift`: a residual generator with batch norm, and a discriminator without any, for images of any size.

What of both is DCGAN's (Radford et al. 2016, section 3): transposed convolutions that double, strided ones that halve, weights
from N(0, 0.02). What is not: at each size G adds two 3x3 convolutions to their input (He et al. 2016, "Deep Residual Learning",
section 3.2), and D halves until its map has 3 to 5 pixels a side, so that its last layer weighs what it has understood and not
where it saw it. docs/LOG.md has what each of the two is worth. Labels give G's batch norm its gain and bias, and D a
projection (Miyato & Koyama 2018, eq. 3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from zerosum.layers.class_norm import ClassNorm
from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.layout import Unflat, channels_last, flat
from zerosum.nets.dcgan import small_normal
from zerosum.nets.shapes import ceil_size, channels, levels


class Residual(nn.Module):
    """x + norm(3x3(relu(norm(3x3(relu(x)))))), channels kept."""

    def __init__(self, wide: int, classes: int = 0) -> None:
        super().__init__()
        self.conv1, self.conv2 = (Conv2d(wide, wide, 3, 1, 1, bias=False) for _ in range(2))
        self.norm1, self.norm2 = (ClassNorm(wide, classes) for _ in range(2))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.norm1(self.conv1(x.relu()), y)
        return x + self.norm2(self.conv2(h.relu()), y)


class Generator(nn.Module):
    """z [n, z_dim] (and labels [n]) -> images [n, c, h, w] in [-1, 1].

    Labels enter twice: as an embedding of `label_dim` numbers beside z, which chooses the layout, and in every batch norm.
    """

    def __init__(self, shape: tuple[int, ...], z_dim: int, width: int = 64, classes: int = 0, label_dim: int = 16) -> None:
        super().__init__()
        c, self.height, self.width = shape
        times = max(1, levels(self.height, self.width))
        first = ceil_size(self.height, self.width, times)
        sizes = [channels(width, level) for level in range(times, 0, -1)]
        self.label = nn.Embedding(classes, label_dim) if classes else None
        inputs = z_dim + (label_dim if classes else 0)
        self.start = nn.Sequential(nn.Linear(inputs, sizes[0] * first[0] * first[1], bias=False), Unflat(sizes[0], *first))
        self.norms = nn.ModuleList(ClassNorm(wide, classes) for wide in sizes)
        self.blocks = nn.ModuleList(Residual(wide, classes) for wide in sizes)
        self.ups = nn.ModuleList(
            ConvTranspose2d(wide, after, 4, 2, 1, bias=last)
            for wide, after, last in zip(sizes, [*sizes[1:], c], [*[False] * (times - 1), True], strict=True)
        )
        small_normal(self)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.start(z if self.label is None or y is None else torch.cat([z, self.label(y)], 1))
        for norm, block, up in zip(self.norms, self.blocks, self.ups, strict=True):
            x = up(block(norm(x, y), y).relu())
        return x[..., : self.height, : self.width].tanh()


class Discriminator(nn.Module):
    """Images [n, c, h, w] (and labels [n]) -> logits [n, 1]."""

    def __init__(self, shape: tuple[int, ...], width: int = 64, classes: int = 0) -> None:
        super().__init__()
        before, height, wide = shape
        self.downs = nn.ModuleList()
        while min(height, wide) > 5 or not self.downs:
            after = channels(width, len(self.downs) + 1)
            self.downs.append(Conv2d(before, after, 4, 2, 1))
            before, height, wide = after, height // 2, wide // 2
        self.head = nn.Linear(before * height * wide, 1)
        self.label = nn.Embedding(classes, before) if classes else None
        small_normal(self)
        if self.label is not None:
            nn.init.normal_(self.label.weight, 0.0, 0.02)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = channels_last(x)
        for down in self.downs:
            x = leaky_relu(down(x), 0.2)
        logit = self.head(flat(x))
        if self.label is not None and y is not None:
            logit = logit + (self.label(y) * x.float().sum((2, 3))).sum(1, keepdim=True)
        return logit.float()
