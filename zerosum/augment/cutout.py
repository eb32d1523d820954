"""A hole in an image: a box of half its size, filled with 0, the middle of model space, in every channel."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum import noise


def draw(n: int, height: int, width: int, p: Tensor | float, device: torch.device) -> Tensor:
    """What is left of each image, [n, 1, h, w] of 0 and 1: with probability p a box of half its size is missing.

    The box's centre is anywhere in the image, so part of it may lie outside. DeVries & Taylor 2017, "Improved
    Regularization of Convolutional Neural Networks with Cutout"; Karras et al. 2020 (ADA), appendix B.
    """
    u = noise.uniform(n, 3, device=device)
    centred = lambda i, size: (torch.arange(size, device=device) + 0.5) / size - u[:, i, None]
    far = [centred(i, size).abs() >= 0.25 for i, size in enumerate((height, width))]
    left = far[0][:, :, None] | far[1][:, None, :] | (u[:, 2] >= p)[:, None, None]
    return left[:, None].float()
