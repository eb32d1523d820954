"""Mean absolute difference of outputs to their targets: how far pixels are off."""

from __future__ import annotations

from torch import Tensor

from zerosum.metrics.against import applies, compared, shaved
from zerosum.metrics.case import Case
from zerosum.metrics.score import Score

QUICK = True

__all__ = ["QUICK", "applies", "l1", "measure"]


def l1(a: Tensor, b: Tensor, shave: int = 0, data_range: float = 255.0) -> Tensor:
    """Mean absolute difference of each image a [n, c, h, w] to its b, as a share of the range, float64 [n] in [0, 1]."""
    return (shaved(a, shave).double() - shaved(b, shave).double()).abs().flatten(1).mean(1) / data_range


def measure(case: Case) -> list[Score]:
    """L1 over all channels."""
    near = lambda a, b, side: l1(a, b, side.shave)
    what = "mean absolute difference of outputs in 8 bits to their targets, all channels, as a share of the range"
    return [compared(case, "L1", near, "lower", 0.0, what)]
