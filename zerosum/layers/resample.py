"""Doubling and halving images through a low-pass filter: no new frequency appears, and a constant stays what it is.

A filter is given by its taps in one direction, for instance (1, 3, 3, 1), and is applied in both. Its taps are even in
number, so that the grid of the doubled image lies symmetrically around the first one's: bilinear resampling is (1, 3, 3, 1),
the nearest neighbour and its mean (1, 1). Beyond the border an image is 0.

Odd sizes are no special case: halving h gives ceil(h / 2), and doubling takes the size it should arrive at. Both are linear
and, up to the factor 4, each other's transpose; so either's derivative is the other, as often as one likes to differentiate.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

from zerosum.layers.conv import convolve

Taps = tuple[float, ...]
BILINEAR: Taps = (1, 3, 3, 1)


def _spread(offset: Tensor, taps: Taps, dtype: torch.dtype) -> Tensor:
    """The tap at each whole number, of taps that sum to 1; 0 before the first and after the last."""
    return torch.stack([tap / sum(taps) * (offset == k).to(dtype) for k, tap in enumerate(taps)]).sum(0)


def _new_kernel(taps: Taps, channels: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """The filter as a depthwise kernel [channels, 1, k, k] that sums to 1."""
    line = _spread(torch.arange(len(taps), device=device), taps, torch.promote_types(dtype, torch.float32))
    return (line[:, None] * line).to(dtype).expand(channels, 1, -1, -1).contiguous()


def _new_matrix(taps: Taps, large: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Doubling as a matrix [large, ceil(large / 2)]."""
    first = 2 * torch.arange(-(-large // 2), device=device) - (len(taps) // 2 - 1)
    offset = torch.arange(large, device=device)[:, None] - first
    return (2 * _spread(offset, taps, torch.promote_types(dtype, torch.float32))).to(dtype)


_kept_kernel, _kept_matrix = cache(_new_kernel), cache(_new_matrix)
# torch.compile looks through a cache, with a warning. It is given what the cache holds; all of it is made on the device.


def _kernel(taps: Taps, channels: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    return (_new_kernel if torch.compiler.is_compiling() else _kept_kernel)(taps, channels, device, dtype)


def _matrix(taps: Taps, large: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    return (_new_matrix if torch.compiler.is_compiling() else _kept_matrix)(taps, large, device, dtype)


def _halved(x: Tensor, taps: Taps) -> Tensor:
    reach = len(taps) // 2 - 1
    if x.shape[2] % 2 or x.shape[3] % 2:
        x = pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))
    return conv2d(x, _kernel(taps, x.shape[1], x.device, x.dtype), None, 2, reach, 1, x.shape[1])


def _doubled(x: Tensor, size: tuple[int, int], taps: Taps) -> Tensor:
    n, c, h, w = x.shape
    if x.device.type != "cpu":
        kernel = 4 * _kernel(taps, c, x.device, x.dtype)
        return conv_transpose2d(x, kernel, None, 2, len(taps) // 2 - 1, 0, c)[..., : size[0], : size[1]]
    # A processor's depthwise transposed convolution is tens of times slower than two small matrix products.
    down, across = _matrix(taps, size[0], x.device, x.dtype), _matrix(taps, size[1], x.device, x.dtype)
    rows = down @ x.permute(0, 2, 3, 1).reshape(n, h, w * c)
    return (across @ rows.view(n * size[0], w, c)).view(n, *size, c).permute(0, 3, 1, 2)


class _Halve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, taps: Taps) -> Tensor:
        ctx.taps, ctx.size = taps, tuple(x.shape[2:])
        return _halved(x, taps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Double.apply(gradient, ctx.size, ctx.taps) / 4, None


class _Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, size: tuple[int, int], taps: Taps) -> Tensor:
        ctx.taps = taps
        return _doubled(x, size, taps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Halve.apply(gradient, ctx.taps) * 4, None, None


def halve(x: Tensor, taps: Taps = BILINEAR) -> Tensor:
    """Images [n, c, h, w] -> [n, c, ceil(h / 2), ceil(w / 2)]: filtered, then every second pixel."""
    return _Halve.apply(x, taps)


def double(x: Tensor, size: tuple[int, int], taps: Taps = BILINEAR) -> Tensor:
    """Images [n, c, h, w] -> [n, c, *size]: a zero between any two pixels, filtered with gain 4.

    Each side of `size` is twice x's, or one less.
    """
    return _Double.apply(x, size, taps)


def blur(x: Tensor, before: int, after: int, gain: float = 1.0, taps: Taps = BILINEAR) -> Tensor:
    """The filter alone, on images with `before` zeros above and left of them and `after` below and right.

    [n, c, h, w] -> [n, c, h + before + after + 1 - k, ...], k the number of taps.
    """
    kernel = gain * _kernel(taps, x.shape[1], x.device, x.dtype)
    if before != after:
        x = pad(x, (before, after, before, after))
    return convolve(x, kernel, None, 1, before if before == after else 0, x.shape[1])
