"""Structural similarity of outputs to their targets: brightness, contrast and structure of small neighbourhoods."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from zerosum.metrics import against
from zerosum.metrics.against import compared, shaved
from zerosum.metrics.case import Case
from zerosum.metrics.psnr import luma
from zerosum.metrics.score import Score

QUICK = True
SIGMA, RADIUS = 1.5, 5
K1, K2 = 0.01, 0.03


def ssim(a: Tensor, b: Tensor, shave: int = 0, data_range: float = 255.0) -> Tensor:
    """Mean structural similarity of each image a [n, c, h, w] to its b, float64 [n] in [-1, 1], 1 where equal.

    Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity", eq. 13, with K1 = 0.01 and
    K2 = 0.03, over Gaussian windows of 11 x 11 pixels, sigma 1.5, that lie within the image; the mean over windows and
    channels. `shave`: pixels left out at each border. What is left must be 11 pixels or more a side, else ValueError.
    """
    n, planes = len(a), lambda x: shaved(x, shave).double().flatten(0, 1)[:, None]
    a, b = planes(a), planes(b)
    if min(a.shape[2:]) <= 2 * RADIUS:
        raise ValueError(f"images of {a.shape[2]} x {a.shape[3]} pixels are smaller than SSIM's window of {2 * RADIUS + 1}")
    mean_a, mean_b = _blurred(a), _blurred(b)
    var_a, var_b = _blurred(a * a) - mean_a**2, _blurred(b * b) - mean_b**2
    both = _blurred(a * b) - mean_a * mean_b
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    same = (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return same.reshape(n, -1).mean(1)


def _blurred(x: Tensor) -> Tensor:
    """Means under the Gaussian window, at the pixels whose window lies within the image."""
    place = torch.arange(-RADIUS, RADIUS + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-(place**2) / (2 * SIGMA**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    return conv2d(conv2d(x, kernel), kernel.transpose(2, 3))


def applies(case: Case) -> bool:
    """Games that map, on pairs, whose outputs hold a window."""
    return against.applies(case) and min(case.spec.shape[1:]) - 2 * against.border(case) > 2 * RADIUS


def measure(case: Case) -> list[Score]:
    """SSIM over all channels, and in Y where they are red, green and blue."""
    near = lambda a, b, side: ssim(a, b, side.shave)
    what = "structural similarity of outputs in 8 bits to their targets (Gaussian windows, sigma 1.5), its mean over images"
    found = [compared(case, "SSIM", near, "higher", 1.0, f"{what}, all channels")]
    if case.spec.shape[0] == 3:
        bright = lambda a, b, side: ssim(luma(a), luma(b), side.shave)
        found.append(compared(case, "SSIM, Y", bright, "higher", 1.0, f"{what}, luma (BT.601)"))
    return found
