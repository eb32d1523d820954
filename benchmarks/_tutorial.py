"""The plain tutorial DCGAN that benchmarks compare with: fp32, eager, contiguous, one Adam a net, no averages.

Written from the recipe that DCGAN tutorials share (Radford et al. 2016): transposed convolutions with batch norm and
ReLU up, strided convolutions with batch norm and LeakyReLU 0.2 down, sigmoid and binary cross-entropy, N(0, 0.02),
Adam 2e-4 (0.5, 0.999), the fake batch made once a step and used by both nets.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _init(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)


class Tutorial:
    """Nets and optimisers for square images whose side is 28, 32 or 64; `step` is one step of the tutorial's loop."""

    def __init__(self, channels: int, side: int, z_dim: int = 100, width: int = 64) -> None:
        first, ups = {28: (7, 2), 32: (4, 3), 64: (4, 4)}[side]
        top = width * 2 ** (ups - 1)
        up: list[nn.Module] = [nn.ConvTranspose2d(z_dim, top, first, 1, 0, bias=False), nn.BatchNorm2d(top), nn.ReLU(True)]
        down: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
        for i in range(1, ups):
            a, b = width * 2 ** (ups - i), width * 2 ** (ups - i - 1)
            up += [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(True)]
            down += [nn.Conv2d(width * 2 ** (i - 1), width * 2**i, 4, 2, 1, bias=False), nn.BatchNorm2d(width * 2**i)]
            down += [nn.LeakyReLU(0.2, True)]
        self.G = nn.Sequential(*up, nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh()).apply(_init)
        self.D = nn.Sequential(*down, nn.Conv2d(top, 1, first, 1, 0, bias=False), nn.Sigmoid()).apply(_init)
        self.z_dim, self.loss = z_dim, nn.BCELoss()
        self.optim_g = torch.optim.Adam(self.G.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.optim_d = torch.optim.Adam(self.D.parameters(), lr=2e-4, betas=(0.5, 0.999))

    def step(self, real: Tensor) -> None:
        """One step on images [n, c, side, side] in [-1, 1]."""
        n = len(real)
        ones, zeros = torch.ones(n), torch.zeros(n)
        self.D.zero_grad()
        self.loss(self.D(real).view(-1), ones).backward()
        fake = self.G(torch.randn(n, self.z_dim, 1, 1))
        self.loss(self.D(fake.detach()).view(-1), zeros).backward()
        self.optim_d.step()
        self.G.zero_grad()
        self.loss(self.D(fake).view(-1), ones).backward()
        self.optim_g.step()

    @torch.no_grad()
    def sample(self, n: int, seed: int, eval_mode: bool) -> Tensor:
        """n images in [-1, 1]; tutorials sample in training mode, with each batch's own statistics."""
        self.G.train(not eval_mode)
        z = torch.randn(n, self.z_dim, 1, 1, generator=torch.Generator().manual_seed(seed))
        x = torch.cat([self.G(part) for part in z.split(250)])
        self.G.train()
        return x
