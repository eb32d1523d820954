"""Jitter: images of one item enlarged a little, and all cut back at one place.

Isola et al. 2017 (pix2pix), appendix 6.2: "random jitter was applied by resizing the 256 x 256 input images to 286 x 286 and
then randomly cropping back to size 256 x 256", and mirroring.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from zerosum import noise


def jittered(*images: Tensor, zoom: float = 1.0) -> tuple[Tensor, ...]:
    """Each [n, c, h, w], all of one h and w, enlarged by `zoom`, of which a part of h x w is cut out at random.

    Row i of each is cut at the same place. Draws are those of the shared stream.
    """
    if zoom <= 1:
        return images
    n, device = len(images[0]), images[0].device
    theta = torch.zeros(n, 2, 3, device=device)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / zoom
    theta[:, :, 2] = noise.uniform(n, 2, low=-1.0, high=1.0, device=device) * (1 - 1 / zoom)
    with torch.autocast(device.type, enabled=False):
        grid = affine_grid(theta, [n, 1, *images[0].shape[2:]], align_corners=False)
        return tuple(grid_sample(x, grid, "bilinear", "reflection", align_corners=False) for x in images)
