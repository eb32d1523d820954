"""The pair of `swift`: a residual, self-modulated generator, and a discriminator without batch norm; images of any size.

What of both is DCGAN's (Radford et al. 2016, section 3): transposed convolutions that double, strided ones that halve, weights
from N(0, 0.02). What is not: at each size G adds two 3x3 convolutions to their input (He et al. 2016, "Deep Residual Learning",
section 3.2), and its batch norm is modulated by the noise (Chen et al. 2019). D halves until its map has 3 to 5 pixels a side,
so that its last layer weighs what it has understood and not where it saw it, and sees how much items differ (Karras et al.
2018, section 3). docs/LOG.md has what each of these is worth.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from zerosum.layers.classes import Classes
from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.layout import Unflat, channels_last, flat
from zerosum.layers.minibatch_std import class_std, minibatch_std
from zerosum.layers.self_modulation import SelfModulation
from zerosum.nets.dcgan import small_normal
from zerosum.nets.shapes import ceil_size, channels, levels


class Residual(nn.Module):
    """x + norm(3x3(relu(norm(3x3(relu(x)))))), channels kept; both norms are modulated by s [n, inputs]."""

    def __init__(self, wide: int, inputs: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (Conv2d(wide, wide, 3, 1, 1, bias=False) for _ in range(2))
        self.norm1, self.norm2 = (SelfModulation(wide, inputs) for _ in range(2))

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        h = self.norm1(self.conv1(x.relu()), s)
        return x + self.norm2(self.conv2(h.relu()), s)


class Generator(nn.Module):
    """z [n, z_dim] (and labels [n]) -> images [n, c, h, w] in [-1, 1].

    Labels are an embedding of `label_dim` numbers beside z: both choose the layout, and both modulate every norm. `finish`:
    channels of a last residual block at full size, before a 3x3 convolution to pixels; 0: the last doubling gives pixels.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        z_dim: int,
        width: int = 64,
        classes: int = 0,
        finish: int = 0,
        label_dim: int = 16,
    ) -> None:
        super().__init__()
        c, self.height, self.width = shape
        times = max(1, levels(self.height, self.width))
        first = ceil_size(self.height, self.width, times)
        sizes = [channels(width, level) for level in range(times, 0, -1)]
        self.label = Classes(classes, label_dim) if classes else None
        inputs = z_dim + (label_dim if classes else 0)
        self.start = nn.Sequential(nn.Linear(inputs, sizes[0] * first[0] * first[1], bias=False), Unflat(sizes[0], *first))
        self.ups = nn.ModuleList(
            ConvTranspose2d(wide, after or c, 4, 2, 1, bias=after == 0) for wide, after in pairwise([*sizes, finish])
        )
        blocks = [*sizes, finish] if finish else sizes
        self.norms = nn.ModuleList(SelfModulation(wide, inputs) for wide in blocks)
        self.blocks = nn.ModuleList(Residual(wide, inputs) for wide in blocks)
        if finish:
            self.ups.append(Conv2d(finish, c, 3, 1, 1))
        small_normal(self)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        s = z if self.label is None or y is None else torch.cat([z, self.label(y)], 1)
        x = self.start(s)
        for norm, block, up in zip(self.norms, self.blocks, self.ups, strict=True):
            x = up(block(norm(x, s), s).relu())
        return x[..., : self.height, : self.width].tanh()


class Discriminator(nn.Module):
    """Images [n, c, h, w] (and labels [n]) -> logits [n, 1].

    Its last map has one channel more: how much the items of a group of `group`, or of one class, differ from each other, times
    `loudness`, because one channel among hundreds would long go unheard.
    """

    def __init__(
        self, shape: tuple[int, ...], width: int = 64, classes: int = 0, group: int = 8, loudness: float = 5.0
    ) -> None:
        super().__init__()
        self.group, self.loudness = group, loudness
        before, height, wide = shape
        self.downs = nn.ModuleList()
        while min(height, wide) > 5 or not self.downs:
            after = channels(width, len(self.downs) + 1)
            self.downs.append(Conv2d(before, after, 4, 2, 1))
            before, height, wide = after, height // 2, wide // 2
        self.head = nn.Linear((before + 1) * height * wide, 1)
        self.label = nn.Embedding(classes, before) if classes else None
        small_normal(self)
        if self.label is not None:
            nn.init.normal_(self.label.weight, 0.0, 0.02)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = channels_last(x)
        for down in self.downs:
            x = leaky_relu(down(x), 0.2)
        spread = minibatch_std(x, self.group) if self.label is None or y is None else class_std(x, y)
        logit = self.head(flat(torch.cat([spread[:, :-1], self.loudness * spread[:, -1:]], 1)))
        if self.label is not None and y is not None:
            logit = logit + (self.label(y) * x.float().sum((2, 3))).sum(1, keepdim=True)
        return logit.float()
