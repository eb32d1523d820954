"""NIQE: how far a photograph's local statistics lie from those of good photographs; nothing to compare it with is needed.

Mittal et al. 2013, "Making a 'Completely Blind' Image Quality Analyzer". What good photographs are like comes from a file with
`mu_pris_param` (36), `cov_pris_param` (36, 36) and `gaussian_window` (7, 7). Lower is better; a sharp photograph has about 2
to 5. It judges texture, not truth: an image of something else can have a good one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from zerosum.errors import UserError
from zerosum.metrics.psnr import luma

PATCH = 96
"""Pixels of a patch's side at full size; half as many at half size (section 2.2)."""

SHAPES = torch.arange(200, 10_001, dtype=torch.float64) / 1000
"""Shapes of distributions that are looked through."""


@dataclass(frozen=True)
class Model:
    """What good photographs are like."""

    mean: Tensor  # [36]
    cov: Tensor  # [36, 36]
    window: Tensor  # [7, 7], sums to 1


def load(path: Path | str) -> Model:
    """The model of a file. Raises UserError where it is missing, damaged or holds something else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            mean, cov, window = (file[key] for key in ("mu_pris_param", "cov_pris_param", "gaussian_window"))
        parts = (mean.reshape(36), cov.reshape(36, 36), window.reshape(7, 7))
    except FileNotFoundError as error:
        raise UserError(f"no NIQE parameters at {path}: check the path") from error
    except Exception as error:  # a damaged file ends in anything
        raise UserError(f"{path}: holds no NIQE parameters that can be read ({error}): give another file") from error
    return Model(*(torch.from_numpy(part).double() for part in parts))


def niqe(images: Tensor, model: Model) -> Tensor:
    """The NIQE of each image [n, c, h, w], c 1 or 3, in [-1, 1] and rounded to 8 bits; [n], float64.

    Eq. 10: sqrt((m1 - m2)' ((C1 + C2) / 2)^-1 (m1 - m2)) between the means and covariances of the features of patches. Of
    colours the luma counts. What is left over beside whole patches, below and to the right, is not looked at. Raises UserError
    for images without two patches of 96 x 96.
    """
    height, width = (side // PATCH * PATCH for side in images.shape[2:])
    if height * width < 2 * PATCH**2:
        raise UserError(
            f"NIQE needs two patches of {PATCH} x {PATCH} pixels, and these are {images.shape[2]} x {images.shape[3]}"
        )
    levels = ((images.double().clamp(-1, 1) + 1) * 127.5).round()
    grey = (luma(levels) if images.shape[1] == 3 else levels)[..., :height, :width]
    half = interpolate(grey, size=(height // 2, width // 2), mode="bicubic", antialias=True)
    found = []
    for full, small in zip(grey, half, strict=True):
        features = torch.cat([patch_features(full[0], PATCH, model), patch_features(small[0], PATCH // 2, model)], 1)
        away = model.mean - features.mean(0)
        inverse = torch.linalg.pinv((model.cov + torch.cov(features.T)) / 2)
        found.append((away @ inverse @ away).sqrt())
    return torch.stack(found)


def patch_features(grey: Tensor, side: int, model: Model) -> Tensor:
    """The 18 features (section 2.3) of every patch of a grey image [h, w] in [0, 255], [patches, 18], row by row.

    Shape and scale of the normalised levels; then of their products with the neighbours to the right, below, and on either
    diagonal: shape, mean, left and right scale.
    """
    levels = normalised(grey, model.window)
    patches = levels.unfold(0, side, side).unfold(1, side, side).reshape(-1, side, side)
    shape, left, right = fit(patches.flatten(1))
    parts = [shape, (left + right) / 2]
    for step in ((0, 1), (1, 0), (1, 1), (1, -1)):
        # Beyond a patch's border its other side comes, as where the parameters came from.
        shape, left, right = fit((patches * patches.roll(step, (1, 2))).flatten(1))
        mean = (right - left) * (torch.lgamma(2 / shape) - torch.lgamma(1 / shape)).exp()  # eq. 8
        parts += [shape, mean, left, right]
    return torch.stack(parts, 1)


def normalised(grey: Tensor, window: Tensor) -> Tensor:
    """(I - mu) / (sigma + 1), mu and sigma the windowed mean and deviation around each pixel (eq. 1 to 3); [h, w]."""
    around = lambda x: conv2d(pad(x[None, None], (3, 3, 3, 3), mode="replicate"), window[None, None])[0, 0]
    mean = around(grey)
    return (grey - mean) / ((around(grey * grey) - mean * mean).abs().sqrt() + 1)


def fit(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(shape, left scale, right scale), each [n], of asymmetric generalised Gaussians (eq. 5) fitted to rows [n, samples].

    By moments, as Lasmar et al. 2009, "Multiscale Skewed Heavy Tailed Model for Texture Analysis", section 3.
    """
    below, above = x.clamp(max=0), x.clamp(min=0)
    left = (below.square().sum(1) / (x < 0).sum(1).clamp(min=1)).sqrt()
    right = (above.square().sum(1) / (x > 0).sum(1).clamp(min=1)).sqrt()
    ratio = left / right.clamp(min=1e-12)
    plain = x.abs().mean(1).square() / x.square().mean(1).clamp(min=1e-24)
    wanted = plain * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1).square()
    known = (2 * torch.lgamma(2 / SHAPES) - torch.lgamma(1 / SHAPES) - torch.lgamma(3 / SHAPES)).exp()  # grows with the shape
    at = torch.searchsorted(known, wanted).clamp(1, len(SHAPES) - 1)
    shape = SHAPES[torch.where(wanted - known[at - 1] < known[at] - wanted, at - 1, at)]
    scale = ((torch.lgamma(1 / shape) - torch.lgamma(3 / shape)) / 2).exp()
    return shape, left * scale, right * scale
