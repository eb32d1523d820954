"""What can be taken from an image, for a network to put back: colour, everything but its edges, cleanness, sharpness.

All functions take images [n, c, h, w] in [-1, 1] and give such images; random strengths come from the shared stream.
"""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from zerosum import noise


def grey(x: Tensor) -> Tensor:
    """Luma of the first three channels (ITU-R BT.601: 0.299, 0.587, 0.114), [n, 1, h, w]; of fewer channels the first."""
    if x.shape[1] < 3:
        return x[:, :1]
    return (x[:, :3] * x.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def edges(x: Tensor) -> Tensor:
    """How steep the luma is, [n, 1, h, w]: -1 where it is level, 1 for a step from black to white and beyond.

    The length of Sobel's gradient, with borders repeated.
    """
    slope = x.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4  # 2 for a step from -1 to 1
    with torch.autocast(x.device.type, enabled=False):  # an input in training is to be what it is afterwards
        found = conv2d(pad(grey(x), (1, 1, 1, 1), mode="replicate"), torch.stack([slope, slope.t()])[:, None])
    return found.square().sum(1, keepdim=True).sqrt().clamp(max=2) - 1


def noised(x: Tensor, most: float) -> Tensor:
    """x plus normal noise, within [-1, 1]; each item's standard deviation is uniform in [0, most)."""
    strength = noise.uniform(len(x), 1, 1, 1, high=most, device=x.device)
    return (x + strength * noise.normal(*x.shape, device=x.device)).clamp(-1, 1)


def blurred(x: Tensor, most: float) -> Tensor:
    """x under a Gaussian window, borders reflected; each item's standard deviation is uniform in [most / 4, most) pixels."""
    sigma = noise.uniform(len(x), 1, low=most / 4, high=most, device=x.device)
    reach = min(ceil(3 * most), x.shape[2] - 1, x.shape[3] - 1)
    window = torch.exp(-((torch.arange(-reach, reach + 1, device=x.device) / sigma).square()) / 2)
    window = (window / window.sum(1, keepdim=True)).repeat_interleave(x.shape[1], 0)  # one for each item and channel
    planes = pad(x, (reach,) * 4, mode="reflect").flatten(0, 1)[None]
    with torch.autocast(x.device.type, enabled=False):
        planes = conv2d(planes, window[:, None, None, :], groups=len(window))
        return conv2d(planes, window[:, None, :, None], groups=len(window))[0].view(x.shape)
