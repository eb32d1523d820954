"""Multi-layer perceptrons for vectors, and for images taken as vectors."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from zerosum.layers.classes import Classes


def layers(width_in: int, width: int, depth: int, width_out: int, slope: float) -> nn.Sequential:
    """`depth` hidden layers of `width` units, LeakyReLU of the given slope (0: ReLU), linear output."""
    widths = [width_in, *[width] * depth]
    hidden = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.LeakyReLU(slope, inplace=True))]
    return nn.Sequential(*hidden, nn.Linear(widths[-1], width_out))


class Generator(nn.Module):
    """z [n, z_dim] (and labels [n]) -> items [n, *shape]; images end in tanh, vectors are unbounded."""

    def __init__(
        self, shape: tuple[int, ...], z_dim: int, width: int = 256, depth: int = 3, classes: int = 0, label_dim: int = 50
    ) -> None:
        super().__init__()
        self.label = Classes(classes, label_dim) if classes else None
        self.body = layers(z_dim + (label_dim if classes else 0), width, depth, prod(shape), slope=0.0)
        self.end = nn.Sequential(nn.Tanh(), nn.Unflatten(1, shape)) if len(shape) > 1 else nn.Identity()

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if self.label is not None and y is not None:
            z = torch.cat([z, self.label(y)], 1)
        return self.end(self.body(z))


class Discriminator(nn.Module):
    """Items [n, *shape] (and labels [n]) -> logits [n, 1]. Labels enter as a projection on the last hidden layer."""

    def __init__(self, shape: tuple[int, ...], width: int = 256, depth: int = 3, classes: int = 0, out: int = 1) -> None:
        super().__init__()
        whole = layers(prod(shape), width, depth, out, slope=0.2)
        self.body, self.head = nn.Sequential(nn.Flatten(), *list(whole)[:-1]), whole[-1]
        self.label = nn.Embedding(classes, width) if classes else None

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.body(x)
        logit = self.head(h)
        if self.label is not None and y is not None:
            logit = logit + (self.label(y) * h).sum(1, keepdim=True)
        return logit.float()
