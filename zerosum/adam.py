"""Adam for weights in channels-last layout.

torch's fused Adam on a processor takes tensors row by row in the order of their dimensions. Channels-last weights, their
gradients and both moments are copied into that order for every step and back again: a tenth of a step of `pix2pix`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Adam(torch.optim.Adam):
    """torch's, fused, which sees channels-last tensors [o, i, h, w] as [o, h, w, i]: the same memory, and in its order."""

    def __init__(self, params: Any, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(params, lr, betas, fused=True)

    def _init_group(self, group: dict[str, Any], params: list[Tensor], *rest: list[Tensor]) -> bool:
        odd = super()._init_group(group, params, *rest)
        for i, p in enumerate(params):
            if p.ndim == 4 and p.device.type == "cpu" and not p.is_contiguous():
                for kept in (params, *rest[:3]):  # gradients, their means and those of their squares
                    kept[i] = kept[i].permute(0, 2, 3, 1)
        return bool(odd)
