"""A pool of past images, of which D sees some in place of the newest ones, so that it does not forget them.

Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial Training", section 2.3, as Zhu
et al. 2017 (CycleGAN, section 4) take it: 50 images, each new one changed for one of them with probability 1/2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zerosum import noise, parallel


class ImagePool(nn.Module):
    """Images [n, *shape] of this rank -> as many, some of them older. What it holds is in buffers, so a resume is exact.

    Every rank holds the same images: those that one rank with the whole batch would hold. Every rank must ask, or the
    others wait for ever.
    """

    images: Tensor
    count: Tensor

    def __init__(self, shape: tuple[int, ...], size: int = 50) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Images in their order. While the pool is not full each is kept and comes back; then it comes back with probability
        1/2, and else takes the place of one of the pool's, equally likely each, which comes instead.
        """
        new = parallel.gather(x.detach().float())
        draws = parallel.gather(noise.uniform(len(x), 2)).tolist()
        kept, size, out = int(self.count), len(self.images), []
        for image, (change, place) in zip(new, draws, strict=True):
            if kept < size:
                self.images[kept] = image
                kept += 1
            elif size and change >= 0.5:
                at = min(int(place * size), size - 1)
                old = self.images[at].clone()
                self.images[at] = image
                image = old
            out.append(image)
        self.count.fill_(kept)
        return torch.stack(out).chunk(parallel.world())[parallel.rank()]
