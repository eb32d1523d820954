"""Colours of whole images changed by an affine map of each pixel's channels.

One channel is grey, two are grey and alpha, three RGB, four RGBA. Alpha says where an image is, not what colour it has:
colours leave it alone. Of images with more channels nobody knows what they mean: all are made brighter and given more
contrast alike, and nothing else.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum import noise


def coloured(channels: int) -> int:
    """How many of an image's channels, the first ones, carry colour: all but alpha."""
    return channels - 1 if channels in (2, 4) else channels


def draw(n: int, channels: int, p: Tensor | float, device: torch.device) -> Tensor:
    """Affine maps [n, k, k + 1] of k colour channels, each operation taken with probability p.

    Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", appendix B: brightness, contrast,
    luma flip (reflection of the grey axis), hue (rotation about it), saturation. Grey images have no hue.
    """
    k = coloured(channels)
    u, z = noise.uniform(n, 7, device=device), noise.normal(n, 3, device=device)
    chosen = u[:, :5] < p
    eye = torch.eye(k, device=device)
    grey = torch.full((k, k), 1 / k, device=device)  # projects on the grey axis
    offset = torch.where(chosen[:, 0], 0.2 * z[:, 0], 0.0)
    gain = torch.where(chosen[:, 1], torch.exp2(0.5 * z[:, 1]), 1.0)
    matrix = gain[:, None, None] * eye
    if k in (1, 3):
        flip = (chosen[:, 2] & (u[:, 5] < 0.5)).float()[:, None, None]
        matrix = (eye - 2 * flip * grey) @ matrix
    if k == 3:
        cross = (eye.roll(1, 0) - eye.roll(1, 1)) / 3**0.5  # v -> a x v, a the grey axis: ((0, -1, 1), (1, 0, -1), (-1, 1, 0))
        angle = torch.where(chosen[:, 3], (2 * u[:, 6] - 1) * torch.pi, 0.0)[:, None, None]
        matrix = (eye + (1 - angle.cos()) * (grey - eye) + angle.sin() * cross) @ matrix
        strength = torch.where(chosen[:, 4], torch.exp2(z[:, 2]), 1.0)[:, None, None]
        matrix = (eye + (strength - 1) * (eye - grey)) @ matrix
    return torch.cat([matrix, matrix @ offset[:, None, None].expand(n, k, 1)], 2)


def apply(x: Tensor, affine: Tensor) -> Tensor:
    """Images [n, c, h, w] whose first k channels go through the maps [n, k, k + 1]."""
    k, affine = affine.shape[1], affine.to(x.dtype)
    changed = torch.baddbmm(affine[:, :, k:], affine[:, :, :k], x[:, :k].flatten(2)).unflatten(2, x.shape[2:])
    return changed if k == x.shape[1] else torch.cat([changed, x[:, k:]], 1)
