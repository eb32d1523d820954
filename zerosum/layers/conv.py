"""Convolutions whose weight gradient, in bfloat16 on a processor, is one matrix product where that is faster.

oneDNN's bfloat16 weight gradients run far below the processor's rate where channels are many and maps small: measured
on four Zen 5 cores, 0.44 TFLOP/s for 256 -> 512 channels at 8 x 8, against 1.35 for a plain matrix product. Gathering
the input's patches (im2col) and multiplying once is faster there. In every other case these layers are torch's own:
in float32, which second derivatives need, and on every GPU.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d, conv_transpose2d, pad

FEWEST_CHANNELS = 128  # of the wide map; below, gathering patches costs more than the product saves
MOST_POSITIONS = 64  # of the small map; above, likewise


def by_product(wide: int, positions: int) -> bool:
    """Whether the weight gradient is better taken as a matrix product."""
    return wide >= FEWEST_CHANNELS and positions <= MOST_POSITIONS


def weight_gradient(large: Tensor, small: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """Gradient [s, l, kernel, kernel] of a convolution's weight, as one matrix product.

    `large` [n, l, h, w] is the map that the kernel slides over, `small` [n, s, h', w'] the one it makes: a convolution's
    input and output gradient, or a transposed convolution's output gradient and input.
    """
    n, s, height, width = small.shape
    rows = pad(large, (padding,) * 4).permute(0, 2, 3, 1)
    b, y, x, c = rows.stride()
    shape = (n, height, width, kernel, kernel, large.shape[1])
    patches = rows.as_strided(shape, (b, y * stride, x * stride, y, x, c)).reshape(n * height * width, -1)
    product = small.permute(0, 2, 3, 1).reshape(-1, s).t() @ patches
    return product.view(s, kernel, kernel, -1).permute(0, 3, 1, 2)


class _Conv(torch.autograd.Function):
    """Convolution (or its transpose) by torch, weight gradient by `weight_gradient`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int, transposed: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.how = stride, padding, transposed
        slide = conv_transpose2d if transposed else conv2d
        return slide(x, weight, None, stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        x, weight = ctx.saved_tensors
        stride, padding, transposed = ctx.how
        gx = gw = None
        if ctx.needs_input_grad[0]:
            pairs = [[stride] * 2, [padding] * 2, [1, 1], transposed, [0, 0], 1, [True, False, False]]
            gx = torch.ops.aten.convolution_backward(gradient, x, weight, None, *pairs)[0]
        if ctx.needs_input_grad[1]:
            large, small = (gradient, x) if transposed else (x, gradient)
            gw = weight_gradient(large, small, weight.shape[-1], stride, padding)
        return gx, gw, None, None, None


def _fits(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor, wide: int, positions: int) -> bool:
    """Whether this call is in bfloat16 on a processor, of the plain kind above, and faster as a product.

    The weight is not looked at: where it is parametrised (spectral norm), each look computes it anew.
    """
    return (
        by_product(wide, positions)
        and x.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
        and layer.groups == 1
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
        and layer.kernel_size[0] == layer.kernel_size[1]
        and len({*layer.stride}) == len({*layer.padding}) == 1
    )


def _half(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor, weight: Tensor, transposed: bool) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        half = x.to(torch.bfloat16), weight.to(torch.bfloat16)
        y = _Conv.apply(*half, layer.stride[0], int(layer.padding[0]), transposed)
        return y if layer.bias is None else y + layer.bias.to(torch.bfloat16)[:, None, None]


class Conv2d(nn.Conv2d):
    """torch.nn.Conv2d; see the file's head."""

    def forward(self, x: Tensor) -> Tensor:
        positions = x.shape[-2] * x.shape[-1] // (self.stride[0] * self.stride[1])
        if not _fits(self, x, self.in_channels, positions):
            return super().forward(x)
        weight = self.weight
        return _half(self, x, weight, False) if weight.requires_grad else self._conv_forward(x, weight, self.bias)


class ConvTranspose2d(nn.ConvTranspose2d):
    """torch.nn.ConvTranspose2d; see the file's head."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        plain = output_size is None and self.output_padding == (0, 0)
        if plain and _fits(self, x, self.out_channels, x.shape[-2] * x.shape[-1]):
            weight = self.weight
            if weight.requires_grad:
                return _half(self, x, weight, True)
            return conv_transpose2d(x, weight, self.bias, self.stride[0], int(self.padding[0]))
        return super().forward(x, output_size)
