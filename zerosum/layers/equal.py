"""Equalised learning rates: weights are kept at unit variance and scaled when they are used.

Karras et al. 2018, "Progressive Growing of GANs", section 4.1: the scale is He's, 1 / sqrt(fan-in), so that under Adam every
weight learns at one speed. `lr_scale` slows a layer down by as much: its weights are kept 1 / lr_scale as large.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from zerosum.layers.conv import convolve
from zerosum.layers.resample import blur, halve


class EqualLinear(nn.Module):
    """[n, before] -> [n, after]; weights and bias times `gain`, which a LeakyReLU behind it passes on."""

    def __init__(
        self, before: int, after: int, gain: float = 1.0, lr_scale: float = 1.0, bias: float = 0.0, biased: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / lr_scale)
        self.bias = nn.Parameter(torch.full((after,), bias / lr_scale)) if biased else None
        self.scale, self.bias_scale = gain * lr_scale / sqrt(before), gain * lr_scale

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight * self.scale, None if self.bias is None else self.bias * self.bias_scale)


class EqualConv2d(nn.Module):
    """[n, before, h, w] -> [n, after, h, w], or half of h and w, rounded up, with `down`: filtered, then strided."""

    def __init__(
        self, before: int, after: int, kernel: int, gain: float = 1.0, down: bool = False, biased: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(after)) if biased else None
        self.scale, self.gain, self.down = gain / sqrt(before * kernel**2), gain, down

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight * self.scale, None if self.bias is None else self.bias * self.gain
        kernel = weight.shape[-1]
        if not self.down:
            return convolve(x, weight, bias, 1, kernel // 2)
        if kernel == 1:
            return convolve(halve(x), weight, bias)
        even = nn.functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2)) if x.shape[2] % 2 or x.shape[3] % 2 else x
        return convolve(blur(even, 2, 2), weight, bias, 2)
