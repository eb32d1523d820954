"""DiffAugment: colour, translation and cutout on every image, always.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", sections 3.2 and 4.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum import noise
from zerosum.augment import cutout
from zerosum.augment.base import Augment, wide
from zerosum.augment.colour import coloured
from zerosum.augment.sample import sample
from zerosum.game import Clock

SHIFT = 0.125  # of the image's size, at most


class DiffAugment(Augment):
    """The paper's "color, translation, cutout"; it has no state and no probability."""

    def augment(self, x: Tensor, clock: Clock) -> Tensor:
        n, _, h, w = x.shape
        with torch.autocast(x.device.type, enabled=False):
            x = wide(x)
            u = noise.uniform(n, 5, device=x.device).to(x.dtype)
            moved = translated(recoloured(x, u[:, :3]), whole_shift(u[:, 3], h), whole_shift(u[:, 4], w))
            return moved * cutout.draw(n, h, w, 1.0, x.device).to(x.dtype)


def recoloured(x: Tensor, u: Tensor) -> Tensor:
    """Brightness + U(-0.5, 0.5), saturation x U(0, 2), contrast x U(0.5, 1.5), in this order; u [n, 3] in [0, 1).

    Saturation is the distance from each pixel's mean over its channels, contrast that from the image's mean. Alpha is left
    alone; grey images have no saturation.
    """
    k = coloured(x.shape[1])
    brightness, saturation, contrast = (u[:, i, None, None, None] for i in range(3))
    y = x[:, :k] + (brightness - 0.5)
    if k > 1:
        grey = y.mean(1, keepdim=True)
        y = grey + 2 * saturation * (y - grey)
    middle = y.mean((1, 2, 3), keepdim=True)
    y = middle + (contrast + 0.5) * (y - middle)
    return y if k == x.shape[1] else torch.cat([y, x[:, k:]], 1)


def whole_shift(u: Tensor, size: int) -> Tensor:
    """Whole numbers of pixels, up to an eighth of `size` either way, each equally likely; u [n] in [0, 1)."""
    most = int(size * SHIFT + 0.5)
    return ((2 * most + 1) * u).floor().long() - most


def translated(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Images [n, c, h, w] moved by whole numbers of pixels [n]; what comes in from outside is 0."""
    _, _, h, w = x.shape
    rows = torch.arange(h, device=x.device) - down[:, None]
    columns = torch.arange(w, device=x.device) - right[:, None]
    inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None, :]
    index = rows.clamp(0, h - 1)[:, :, None] * w + columns.clamp(0, w - 1)[:, None, :]
    return sample(x, index.flatten(1)[:, None], inside.flatten(1)[:, None].to(x.dtype)).unflatten(2, (h, w))
