"""Rows of a table out of a network: numbers by tanh, choices by the straight-through Gumbel-softmax.

Jang et al. 2017, "Categorical Reparameterization with Gumbel-Softmax", sections 2.1 and 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from zerosum import noise

Stretch = tuple[int, int]
"""[start, stop) of a choice's numbers in a row."""


class Choices(nn.Module):
    """Raw numbers [n, width] -> rows [n, width]: one-hot in each stretch, tanh elsewhere.

    Forward it is the choice itself, argmax(raw + g) with g standard Gumbel; backward it is softmax((raw + g) / temperature).
    With `soft` it is the softmax both ways, as in CTGAN (Xu et al. 2019, section 4.4). In eval mode g is a function of
    `grain`, one integer an item or uniform numbers [n, width], so that a row is a function of its inputs.
    """

    def __init__(self, width: int, stretches: Sequence[Stretch], temperature: float, soft: bool = False) -> None:
        super().__init__()
        self.stretches, self.temperature, self.soft = tuple(stretches), temperature, soft
        owner = torch.full((width,), len(self.stretches))
        for number, (start, stop) in enumerate(self.stretches):
            owner[start:stop] = number
        numbers = (owner == len(self.stretches)).nonzero()[:, 0]
        self.register_buffer("numbers", numbers, persistent=False)
        members = one_hot(owner, len(self.stretches) + 1)[:, :-1].float()
        self.register_buffer("members", members, persistent=False)

    numbers: Tensor
    members: Tensor

    def forward(self, raw: Tensor, grain: Tensor | None = None) -> Tensor:
        raw = raw.float()
        u = noise.uniform(*raw.shape, device=raw.device) if grain is None else chances(grain, raw.shape[1])
        g = -(-u.clamp(1e-20, 1 - 1e-7).log()).log()
        if not self.soft:
            return _Straight.apply(raw, g, self)
        parts = raw.tanh() * (1 - self.members.sum(1))
        for start, stop in self.stretches:
            part = ((raw[:, start:stop] + g[:, start:stop]) / self.temperature).softmax(1)
            parts = parts + nn.functional.pad(part, (start, raw.shape[1] - stop))
        return parts


class _Straight(torch.autograd.Function):
    """The choice forward, the softmax backward: one pass over memory for all stretches, where autograd would take one each."""

    @staticmethod
    def forward(ctx: Any, raw: Tensor, g: Tensor, owner: Choices) -> Tensor:
        row, soft = torch.zeros_like(raw), torch.empty_like(raw)
        row[:, owner.numbers] = soft[:, owner.numbers] = raw[:, owner.numbers].tanh()
        score = raw + g
        for start, stop in owner.stretches:
            part = score[:, start:stop]
            soft[:, start:stop] = (part / owner.temperature).softmax(1)
            row.scatter_(1, part.argmax(1, keepdim=True) + start, 1.0)
        ctx.save_for_backward(soft)
        ctx.owner = owner
        return row

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (soft,), owner = ctx.saved_tensors, ctx.owner
        gradient = gradients[0].float()
        weighted = gradient * soft
        with torch.autocast(soft.device.type, enabled=False):
            sums = (weighted @ owner.members) @ owner.members.T
        inner = (weighted - soft * sums) / owner.temperature
        inner[:, owner.numbers] = gradient[:, owner.numbers] * (1 - soft[:, owner.numbers].square())
        return inner, None, None


def grains(grain: Tensor, width: int) -> Tensor:
    """Uniform numbers in [0, 1), float32 [n, width], from integers [n]: a hash of (integer, place) by SplitMix64's finish."""
    word = grain[:, None] * -7046029254386353131 + torch.arange(1, width + 1, device=grain.device) * -4658895280553007687
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        word = (word ^ ((word >> shift) & ((1 << (64 - shift)) - 1))) * factor  # int64 wraps, as the hash wants
    return ((word >> 40) & 0xFFFFFF).float() / 2.0**24


def chances(grain: Tensor, width: int) -> Tensor:
    """Uniform numbers in [0, 1), float32 [n, width]: those of integers [n]; floats are such numbers already."""
    return grain.float() if grain.is_floating_point() else grains(grain, width)
