"""Where a smaller network starts: with every so-manyth channel of a large one of the same form, instead of at random.

Li et al. 2017, "Pruning Filters for Efficient ConvNets", section 3: filters are taken out, and the inputs of the next layer
with them. Here none is measured: channels are taken at equal distances, so that maps that are laid side by side, or flattened
with channels innermost, keep what belongs together.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def begin_as(small: nn.Module, large: nn.Module) -> None:
    """Fill `small` with a part of `large`, wherever a tensor has the same name and number of dimensions and is no larger.

    Weights that sum over fewer inputs are scaled up by as much, so that sums stay about as large.
    """
    theirs = large.state_dict()
    inputs = {f"{name}.weight": _inputs(layer) for name, layer in small.named_modules()}
    for name, mine in small.state_dict().items():
        other = theirs.get(name)
        if other is None or other.ndim != mine.ndim or any(a > b for a, b in zip(mine.shape, other.shape, strict=True)):
            continue
        part = taken(other, mine.shape)
        axis = inputs.get(name)
        if axis is not None:
            part = part * (other.shape[axis] / mine.shape[axis])
        mine.copy_(part)


def taken(x: Tensor, shape: torch.Size) -> Tensor:
    """Entries at equal distances along every axis, as many as `shape` says."""
    for axis, (many, few) in enumerate(zip(x.shape, shape, strict=True)):
        if many != few:
            x = x.index_select(axis, torch.arange(few, device=x.device) * many // few)
    return x


def _inputs(layer: nn.Module) -> int | None:
    """The axis of a layer's weight that it sums over."""
    if isinstance(layer, nn.ConvTranspose2d):
        return 0
    return 1 if isinstance(layer, nn.Conv2d | nn.Linear) else None
