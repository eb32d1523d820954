"""Peak signal-to-noise ratio of outputs to their targets: how far pixels are off, in decibels."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.metrics.against import Side, applies, compared, shaved
from zerosum.metrics.case import Case
from zerosum.metrics.score import Score

QUICK = True
MOST = 100.0
"""Decibels that an output equal to its target counts as, so that there is a mean. One wrong level among 150,000 numbers
already has no more."""

__all__ = ["QUICK", "applies", "luma", "measure", "psnr"]


def psnr(a: Tensor, b: Tensor, shave: int = 0, data_range: float = 255.0, where: Tensor | None = None) -> Tensor:
    """10 log10(data_range^2 / mean squared difference) of each image a [n, c, h, w] to its b, float64 [n].

    Infinite where they are equal. `shave`: pixels left out at each border. `where`: [n, 1, h, w] of 0 and 1, the pixels that
    count (NaN where there are none).
    """
    square = (shaved(a, shave).double() - shaved(b, shave).double()).square()
    if where is None:
        error = square.flatten(1).mean(1)
    else:
        counts = shaved(where, shave).double()
        error = (square * counts).flatten(1).sum(1) / (counts.flatten(1).sum(1) * square.shape[1])
    return 10 * torch.log10(data_range**2 / error)


def luma(rgb: Tensor) -> Tensor:
    """Y [n, 1, h, w] in [16, 235] of rgb [n, 3, h, w] in [0, 255], not rounded: ITU-R BT.601, as the literature of
    super-resolution takes it."""
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=torch.float64, device=rgb.device).view(1, 3, 1, 1)
    return 16 + (rgb.double() * weights).sum(1, keepdim=True) / 255


def measure(case: Case) -> list[Score]:
    """PSNR over all channels, in Y where they are red, green and blue, and in the hole where there is one."""
    near = lambda a, b, side: psnr(a, b, side.shave).clamp(max=MOST)
    what = f"peak signal-to-noise ratio in dB of outputs in 8 bits to their targets, its mean over images ({MOST:.0f} if equal)"
    found = [compared(case, "PSNR", near, "higher", None, f"{what}, all channels")]
    if case.spec.shape[0] == 3:
        bright = lambda a, b, side: psnr(luma(a), luma(b), side.shave).clamp(max=MOST)
        found.append(compared(case, "PSNR, Y", bright, "higher", None, f"{what}, luma (BT.601)"))
    if case.maps is not None and case.maps.mask:
        inside = lambda a, b, side: psnr(a, b, 0, where=_mask(side)).clamp(max=MOST)
        found.append(compared(case, "PSNR in the hole", inside, "higher", None, f"{what}, of the pixels that were made alone"))
    return found


def _mask(side: Side) -> Tensor:
    assert side.mask is not None
    return side.mask
