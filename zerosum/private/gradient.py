"""D's gradient at private rows: each row's own, over every term that reads it, clipped; the sum with noise, once a step.

Abadi et al. 2016, "Deep Learning with Differential Privacy", algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.func import grad, vmap
from torch.nn.modules.batchnorm import _BatchNorm

from zerosum.errors import UserError
from zerosum.private.key import Key

Weights = dict[str, Tensor]
"""A net's parameters by name."""
RowLoss = Callable[[Weights, Tensor], Tensor]
"""(weights, one row [width]) -> all that this row has a part in, a scalar."""

PART = 256
"""Rows whose own gradients are in memory at once."""


def rowwise(net: nn.Module, width: int) -> nn.Module:
    """A net that judges rows [n, width] one by one. Raises UserError where it normalises batches, or packs rows."""
    for module in net.modules():
        if isinstance(module, _BatchNorm):
            raise UserError("a private D cannot normalise batches: every row would change the gradients of all")
        if isinstance(module, nn.Dropout) and module.p > 0:
            raise UserError("a private D has no dropout: it would draw beside the key")
    with torch.no_grad():
        try:
            whole = len(net(torch.zeros(1, width))) == 1
        except RuntimeError:
            whole = False
    if not whole:
        raise UserError("a private D cannot pack rows: one would change the gradients of its whole pack")
    return net


def clipped_each(loss: RowLoss, weights: Weights, rows: Tensor, clip: float) -> Weights:
    """Each row's gradient, [n, ...] for each weight, of norm `clip` at most over all weights together.

    A gradient that is no finite number counts as none.
    """
    found = vmap(grad(loss), in_dims=(None, 0))(weights, rows)
    norms = torch.stack([g.flatten(1).double().square().sum(1) for g in found.values()]).sum(0).sqrt()
    whole = norms.isfinite()
    # a part in a million below the bound, for float32 rounds the sum
    scale = torch.where(whole, (clip * (1 - 1e-6) / norms.clamp_min(1e-30)).clamp_max(1.0), 0.0)
    each = lambda value, g: value.view(-1, *[1] * (g.ndim - 1))
    return {name: torch.where(each(whole, g), g, 0.0) * each(scale, g).to(g.dtype) for name, g in found.items()}


def clipped_sum(loss: RowLoss, weights: Weights, rows: Tensor, clip: float) -> Weights:
    """The sum over rows [n, width] of `clipped_each`: one row more or less moves it by `clip` at most."""
    total = {name: torch.zeros_like(value) for name, value in weights.items()}
    for part in rows.split(PART):
        if len(part):
            for name, g in clipped_each(loss, weights, part, clip).items():
                total[name] += g.sum(0)
    return total


def private_sum(loss: RowLoss, weights: Weights, rows: Tensor, clip: float, noise: float, key: Key, step: int) -> Weights:
    """The same with noise of deviation `noise` * `clip` on every number. A function of (key, step)."""
    total = clipped_sum(loss, weights, rows, clip)
    if noise:
        total = {name: value + noise * clip * key.normal_like(value, "gradient", step, name) for name, value in total.items()}
    return total


def surrogate(parameters: Mapping[str, Tensor], gradient: Weights) -> Tensor:
    """A scalar whose gradient with respect to the parameters is `gradient`: how a loop that minimises terms takes it."""
    parts = [(parameters[name] * gradient[name].detach()).sum() for name in parameters]
    return torch.stack(parts).sum()
