"""Sampling pixels at fixed places: linear in the image, so its derivative is its transpose, to any order.

Gathering from whole-number places is exact where a pixel is taken whole, and its transpose can be made the same on every
run. Torch's grid_sample takes two thirds of the time on a processor and promises neither.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def sample(x: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Weighted sums of pixels: images [n, c, h, w], index and weight [n, taps, places] -> [n, c, places].

    `index`, int64, counts pixels row by row from 0. Every channel is sampled alike; `weight` has x's dtype.
    """
    return _Gather.apply(x.flatten(2), index, weight)


class _Gather(torch.autograd.Function):
    """[n, c, pixels] -> [n, c, places]."""

    @staticmethod
    def forward(ctx: Any, pixels: Tensor, index: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(index, weight)
        ctx.count = pixels.shape[2]
        taken = lambda k: pixels.gather(2, index[:, k, None].expand(-1, pixels.shape[1], -1))
        out = taken(0).mul_(weight[:, 0, None])
        for k in range(1, index.shape[1]):
            out.addcmul_(taken(k), weight[:, k, None])
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Scatter.apply(gradient, *ctx.saved_tensors, ctx.count), None, None


class _Scatter(torch.autograd.Function):
    """The transpose: [n, c, places] -> [n, c, pixels]."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, index: Tensor, weight: Tensor, count: int) -> Tensor:
        ctx.save_for_backward(index, weight)
        return spread(values, index, weight, count, exactly=values.device.type != "cpu")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return _Gather.apply(gradient, *ctx.saved_tensors), None, None, None


def spread(values: Tensor, index: Tensor, weight: Tensor, count: int, exactly: bool) -> Tensor:
    """Each value [n, c, places] added, weighted, to the pixels it was sampled from: [n, c, count].

    A GPU adds in no fixed order, and floating-point sums depend on it. `exactly` adds whole numbers instead, 2**40 for
    the largest value, whose sums are the same in every order: a run can be repeated, at an error of 1e-12 of the largest.
    """
    n, c, _ = values.shape
    scale = 2.0**40 / values.abs().amax().clamp_min(1e-30).double() if exactly else None
    out = values.new_zeros((n, c, count), dtype=torch.int64 if exactly else values.dtype)
    for k in range(index.shape[1]):
        part = values * weight[:, k, None]
        if scale is not None:
            part = (part.double() * scale).round().long()
        out.scatter_add_(2, index[:, k, None].expand(-1, c, -1), part)
    return out if scale is None else (out / scale).to(values.dtype)
