"""Keeping feature maps channels-last from end to end: one tensor in the other layout costs a pass over memory each way.

Channels-last (rows, columns, channels innermost) is what oneDNN and cuDNN convolve fastest. Three places lose it: images
of one channel, which are in both layouts at once and count as the other; the flattening before a linear layer; and the
unflattening after one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def channels_last(x: Tensor) -> Tensor:
    """The same images [n, c, h, w], in an unmistakably channels-last layout."""
    return x.clone(memory_format=torch.channels_last) if x.shape[1] == 1 else x.contiguous(memory_format=torch.channels_last)


def flat(x: Tensor) -> Tensor:
    """[n, c, h, w] -> [n, h * w * c], channels innermost, so that a channels-last map need not be copied."""
    return x.permute(0, 2, 3, 1).flatten(1)


class Unflat(nn.Module):
    """[n, h * w * c] -> [n, c, h, w] in channels-last layout, without a copy: the way back of `flat`."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.shape = height, width, channels

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, self.shape).permute(0, 3, 1, 2)
