"""The all-convolutional pair of DCGAN, for images of any size.

Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional GANs", section 3: strided instead of
pooled, batch norm in both nets except G's output and D's input, ReLU in G with tanh at the end, LeakyReLU 0.2 in D,
weights drawn from N(0, 0.02). Labels, where given, enter G as an embedding beside z (Mirza & Osindero 2014, section 4)
and D as a projection (Miyato & Koyama 2018, "cGANs with Projection Discriminator", eq. 3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zerosum.layers.classes import Classes
from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.layout import Unflat, channels_last, flat
from zerosum.nets.shapes import ceil_size, channels, levels


def small_normal(net: nn.Module) -> None:
    """N(0, 0.02) for convolutions and matrices, N(1, 0.02) for batch norm's gain (Radford et al. 2016, section 4)."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, 0.02)


class Generator(nn.Module):
    """z [n, z_dim] (and labels [n]) -> images [n, c, h, w] in [-1, 1]."""

    def __init__(self, shape: tuple[int, ...], z_dim: int, width: int = 64, classes: int = 0, label_dim: int = 50) -> None:
        super().__init__()
        c, self.height, self.width = shape
        times = levels(self.height, self.width)
        first = ceil_size(self.height, self.width, times)
        top = channels(width, times)
        self.label = Classes(classes, label_dim) if classes else None
        self.start = nn.Sequential(
            nn.Linear(z_dim + (label_dim if classes else 0), top * first[0] * first[1], bias=False),
            Unflat(top, *first),
            nn.BatchNorm2d(top),
            nn.ReLU(inplace=True),
        )
        up: list[nn.Module] = []
        for level in range(times, 1, -1):
            wide, narrow = channels(width, level), channels(width, level - 1)
            up += [ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU(inplace=True)]
        last = ConvTranspose2d(channels(width, 1), c, 4, 2, 1) if times else Conv2d(top, c, 3, 1, 1)
        self.up = nn.Sequential(*up, last)
        small_normal(self)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if self.label is not None and y is not None:
            z = torch.cat([z, self.label(y)], 1)
        return self.up(self.start(z))[..., : self.height, : self.width].tanh()


class Discriminator(nn.Module):
    """Images [n, c, h, w] (and labels [n]) -> logits [n, 1]; `out` columns where it serves as an encoder."""

    def __init__(
        self, shape: tuple[int, ...], width: int = 64, classes: int = 0, batch_norm: bool = True, out: int = 1
    ) -> None:
        super().__init__()
        c, height, wide = shape
        times = levels(height, wide)
        down: list[nn.Module] = []
        for level in range(1, times + 1):
            before, after = channels(width, level - 1) if level > 1 else c, channels(width, level)
            normed = batch_norm and level > 1
            down.append(Conv2d(before, after, 4, 2, 1, bias=not normed))
            down += [nn.BatchNorm2d(after)] if normed else []
            down.append(nn.LeakyReLU(0.2, inplace=True))
        self.down = nn.Sequential(*down)
        features = (channels(width, times) if times else c) * (height >> times) * (wide >> times)
        self.head = nn.Linear(features, out)
        small_normal(self)
        self.label = nn.Embedding(classes, features) if classes else None
        if self.label is not None:
            nn.init.normal_(self.label.weight, 0.0, 0.02)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = flat(self.down(channels_last(x)))
        logit = self.head(h)
        if self.label is not None and y is not None:
            logit = logit + (self.label(y) * h).sum(1, keepdim=True)
        return logit.float()
