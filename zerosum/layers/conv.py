"""Convolutions whose derivatives are convolutions too, of every order, and whose weight gradient may be a matrix product.

Torch's second derivative of a convolution takes the batch for a kernel and goes through groups one by one. Here gradients
are functions with gradients, each of them one call of torch's.

oneDNN's bfloat16 weight gradients run far below the processor's rate where channels are many and maps small: measured
on four Zen 5 cores, 0.44 TFLOP/s for 256 -> 512 channels at 8 x 8, against 1.35 for a plain matrix product. Gathering
the input's patches (im2col) and multiplying once is faster there. In every other case the gradient is torch's own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
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


class Plan(NamedTuple):
    """How a kernel slides, and whether its gradient is taken as a product."""

    stride: int
    padding: int
    groups: int
    transposed: bool
    product: bool = False


def _slide(x: Tensor, weight: Tensor, bias: Tensor | None, plan: Plan) -> Tensor:
    if plan.transposed:
        return conv_transpose2d(x, weight, bias, plan.stride, plan.padding, 0, plan.groups)
    return conv2d(x, weight, bias, plan.stride, plan.padding, 1, plan.groups)


def _backward(gradient: Tensor, x: Tensor, weight: Tensor, plan: Plan, which: int) -> Tensor:
    """Torch's gradient with respect to the input (0) or the weight (1)."""
    pairs = [[plan.stride] * 2, [plan.padding] * 2, [1, 1], plan.transposed, [0, 0], plan.groups]
    mask = [which == 0, which == 1, False]
    return torch.ops.aten.convolution_backward(gradient, x, weight, None, *pairs, mask)[which]


class _Conv(torch.autograd.Function):
    """A convolution, or its transpose, whose derivatives of every order are convolutions again.

    Torch's own second derivative goes through the groups of a grouped convolution one by one.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, plan: Plan) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.plan = plan
        return _slide(x, weight, bias, plan)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        plan = ctx.plan
        gx = gw = gb = None
        if ctx.needs_input_grad[0]:
            gx = _InputGradient.apply(gradient, x, weight, plan)
        if ctx.needs_input_grad[1]:
            gw = _WeightGradient.apply(gradient, x, weight, plan)
        if ctx.needs_input_grad[2]:
            gb = gradient.sum((0, 2, 3))
        return gx, gw, gb, None


class _InputGradient(torch.autograd.Function):
    """d<g, conv(x, w)> / dx: linear in g and w. `x` is there for its shape."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, x: Tensor, weight: Tensor, plan: Plan) -> Tensor:
        ctx.save_for_backward(g, weight)
        ctx.plan = plan
        return _backward(g, x, weight, plan, 0)

    @staticmethod
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor | None, None, Tensor | None, None]:
        g, weight = ctx.saved_tensors
        plan = ctx.plan
        dg = dw = None
        if ctx.needs_input_grad[0]:
            dg = _Conv.apply(v, weight, None, plan)
        if ctx.needs_input_grad[2]:
            dw = _WeightGradient.apply(g, v, weight, plan)
        return dg, None, dw, None


class _WeightGradient(torch.autograd.Function):
    """d<g, conv(x, w)> / dw: linear in g and x. `weight` is there for its shape."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, x: Tensor, weight: Tensor, plan: Plan) -> Tensor:
        ctx.save_for_backward(g, x)
        ctx.plan = plan
        if plan.product:
            large, small = (g, x) if plan.transposed else (x, g)
            return weight_gradient(large, small, weight.shape[-1], plan.stride, plan.padding)
        return _backward(g, x, weight, plan, 1)

    @staticmethod
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        g, x = ctx.saved_tensors
        plan = ctx.plan
        dg = dx = None
        if ctx.needs_input_grad[0]:
            dg = _Conv.apply(x, v, None, plan)
        if ctx.needs_input_grad[1]:
            dx = _InputGradient.apply(g, x, v, plan)
        return dg, dx, None, None


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
    transposed: bool = False,
) -> Tensor:
    """torch's conv2d, or conv_transpose2d, with square kernels; see the file's head."""
    plan = Plan(stride, padding, groups, transposed)
    if torch.compiler.is_compiling() or not torch.is_grad_enabled():
        return _slide(x, weight, bias, plan)
    kind = x.device.type
    if torch.is_autocast_enabled(kind):  # a function of our own is not cast by itself
        dtype = torch.get_autocast_dtype(kind)
        x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
        if kind == "cpu" and groups == 1 and dtype == torch.bfloat16:
            positions = x.shape[2] * x.shape[3] // (1 if transposed else stride * stride)
            plan = plan._replace(product=by_product(weight.shape[1], positions))
    return _Conv.apply(x, weight, bias, plan)


def _plain(layer: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    """Whether `convolve` can do what this layer does."""
    square = layer.kernel_size[0] == layer.kernel_size[1] and len({*layer.stride}) == len({*layer.padding}) == 1
    return square and layer.dilation == (1, 1) and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


class Conv2d(nn.Conv2d):
    """torch.nn.Conv2d; see the file's head."""

    def forward(self, x: Tensor) -> Tensor:
        if not _plain(self):
            return super().forward(x)
        return convolve(x, self.weight, self.bias, self.stride[0], int(self.padding[0]), self.groups)


class ConvTranspose2d(nn.ConvTranspose2d):
    """torch.nn.ConvTranspose2d; see the file's head."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if output_size is not None or self.output_padding != (0, 0) or not _plain(self):
            return super().forward(x, output_size)
        return convolve(x, self.weight, self.bias, self.stride[0], int(self.padding[0]), self.groups, transposed=True)
