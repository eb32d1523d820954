"""Convolutions of which every item has its own weights: a style scales the input channels, and each output's size is undone.

Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 2.2, eqs. 1 to 3. There the weights are
scaled, and each item's are convolved as a group of their own. Scaling the maps before and after is the same function
(eq. 1 commutes with the convolution, and eq. 3 is one number an item and output channel), and one plain convolution.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn

from zerosum.layers.conv import convolve
from zerosum.layers.resample import blur


class ModulatedConv2d(nn.Module):
    """Maps [n, before, h, w] and styles [n, before] -> [n, after, h, w]; with `up` and a size, twice as large.

    The bias is added after the styles are undone. `up`: a zero between pixels, the kernel, the filter; kernels of up layers
    are kept as [before, after, k, k].
    """

    def __init__(self, before: int, after: int, kernel: int, up: bool = False, demodulate: bool = True) -> None:
        super().__init__()
        ends = (before, after) if up else (after, before)
        self.weight = nn.Parameter(torch.randn(*ends, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(after))
        self.scale, self.up, self.demodulate = 1 / sqrt(before * kernel**2), up, demodulate

    def strength(self, style: Tensor) -> Tensor:
        """What each output channel of each item is divided by, inverted: [n, after] (eq. 3), in float32."""
        power = (self.weight * self.scale).square().sum((2, 3))
        return torch.rsqrt(style.square() @ (power if self.up else power.t()) + 1e-8)

    def forward(self, x: Tensor, style: Tensor, size: tuple[int, int] | None = None, gain: float = 1.0) -> Tensor:
        kernel, weight = self.weight.shape[-1], self.weight * self.scale
        x = x * style.to(x.dtype)[..., None, None]
        if self.up:
            x = blur(convolve(x, weight, None, 2, transposed=True), 1, 1, gain=4.0)
            x = x if size is None else x[..., : size[0], : size[1]]
        else:
            x = convolve(x, weight, None, 1, kernel // 2)
        bias = (gain * self.bias).to(x.dtype)[:, None, None]
        if not self.demodulate:
            return x * gain + bias if gain != 1 else x + bias
        with torch.autocast(x.device.type, enabled=False):
            strength = gain * self.strength(style.to(self.weight.dtype))
        return torch.addcmul(bias, x, strength.to(x.dtype)[..., None, None])
