"""LeakyReLU whose second derivative is nothing, where torch's is a map of zeros.

Zeros are carried back through every layer below, at the price of a whole backward pass: for a net of convolutions and
LeakyReLU that is a third of the work of R1 or R2. The function is linear on each side of 0, so nothing is lost.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2


class _Leaky(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        y = functional.leaky_relu_(x, SLOPE)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        # The detached map only says on which side each number lies; the gradient's own gradient is kept.
        return torch.ops.aten.leaky_relu_backward(gradient, y.detach(), SLOPE, True)


class LeakyReLU(nn.Module):
    """max(x, 0.2 x), in place: what is given must not be needed by anyone else."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling() or not x.requires_grad:
            return functional.leaky_relu_(x, SLOPE)
        return _Leaky.apply(x)
