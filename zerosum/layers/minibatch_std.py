"""Minibatch standard deviation: D sees how much items differ from each other.

Karras et al. 2018, "Progressive Growing of GANs", section 3, in groups, as in their later networks.
"""

from __future__ import annotations

import torch
from torch import Tensor


def minibatch_std(x: Tensor, group: int = 4) -> Tensor:
    """Maps [n, c, h, w] -> [n, c + 1, h, w]: the last channel is the mean, over channels and positions, of the standard
    deviation over a group of items.

    A group is `group` neighbours in the batch, or as many below as divide it. With torchrun a rank's own items form its
    groups: they are those of a single process wherever `group` divides each rank's share, and smaller otherwise.
    """
    n = len(x)
    group = next(size for size in range(min(group, n), 0, -1) if n % size == 0)
    items = x.float().unflatten(0, (n // group, group))
    apart = items - items.mean(1, keepdim=True)
    spread = (apart.square().mean(1) + 1e-8).sqrt().mean((1, 2, 3))  # twice as fast as var() over a strided axis
    return _beside(x, spread.repeat_interleave(group))


def class_std(x: Tensor, y: Tensor) -> Tensor:
    """The same over all items of the batch that have an item's own label; labels y [n].

    Among items of several classes the classes' own differences are most of the spread, and a generator that makes one item
    of each class would hardly show.
    """
    items, same = x.float().flatten(1), (y[:, None] == y[None]).float()
    same = same / same.sum(1, keepdim=True)
    with torch.autocast(x.device.type, enabled=False):
        spread = (same @ (items - same @ items).square() + 1e-8).sqrt().mean(1)
    return _beside(x, spread)


def _beside(x: Tensor, spread: Tensor) -> Tensor:
    n, _, h, w = x.shape
    column = spread.to(x.dtype)[:, None, None, None].expand(n, 1, h, w)
    return torch.cat([x, column], 1).contiguous(memory_format=torch.channels_last)
