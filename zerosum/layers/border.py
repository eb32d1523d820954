"""Borders: maps that go on beyond their edges by reflection, as far as one likes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def reflected(length: int, target: int, device: torch.device | str = "cpu") -> Tensor:
    """Positions of `length` pixels that make a row of `target`: 0 .. length - 1, back to 0, and on; int64 [target]."""
    last = torch.arange(length, device=device)[-1:]  # a tensor, so that a graph need not know it beforehand
    period = (2 * last).clamp(min=1)
    at = torch.arange(target, device=device) % period
    return torch.minimum(at, period - at)


def filled_up(x: Tensor, multiple: int) -> Tensor:
    """Maps [n, c, h, w] with rows and columns added behind by reflection, until both sides are multiples of `multiple`.

    torch's reflection adds less than a side has; this one adds any number. x itself where nothing is missing.
    """
    height, width = ((side + multiple - 1) // multiple * multiple for side in x.shape[2:])  # graphs round towards 0
    if not torch.compiler.is_exporting():  # a graph is for every size, and has no branches
        if (height, width) == x.shape[2:]:
            return x
        if height < 2 * x.shape[2] and width < 2 * x.shape[3]:
            return pad(x, (0, width - x.shape[3], 0, height - x.shape[2]), mode="reflect")
    rows, columns = reflected(x.shape[2], height, x.device), reflected(x.shape[3], width, x.device)
    return x[:, :, rows][..., columns]
