"""Windows: a part of each image, at a place of its own that is drawn at random."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum import noise


def windows(height: int, width: int, *images: Tensor) -> tuple[Tensor, ...]:
    """Of images, each [n, c, h, w] and all of one h and w, the same part of each row: [n, c, height, width].

    Draws are those of the shared stream. Images of that size come back as they are, and nothing is drawn.
    """
    n, _, h, w = images[0].shape
    if (height, width) == (h, w):
        return images
    places = (noise.uniform(n, 2) * torch.tensor([h - height + 1, w - width + 1])).long().tolist()
    part = lambda x, top, left: x[:, top : top + height, left : left + width]
    return tuple(torch.stack([part(x, *place) for x, place in zip(several, places, strict=True)]) for several in images)
