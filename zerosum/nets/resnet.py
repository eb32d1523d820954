"""The residual pair of SNGAN, with or without self-attention, for images of any size.

Miyato et al. 2018, "Spectral Normalization for GANs", appendix B, table 4 (CIFAR-10): G is a linear layer, residual
blocks that double the size (nearest neighbour), batch norm and a 3x3 convolution; D is blocks that halve the size
(average pooling), two that keep it, a sum over positions and a linear layer. Spectral normalisation is not applied here:
it is a part (`zerosum.layers.spectral`) that recipes put on.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from zerosum.layers.attention import SelfAttention
from zerosum.layers.conv import Conv2d
from zerosum.layers.layout import Unflat, channels_last
from zerosum.nets.shapes import ceil_size, levels


def _xavier(net: nn.Module) -> None:
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class UpBlock(nn.Module):
    """Norm, ReLU, double the size, 3x3, norm, ReLU, 3x3, added to the upsampled 1x1 of the input."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(before), nn.BatchNorm2d(after)
        self.conv1, self.conv2 = Conv2d(before, after, 3, 1, 1), Conv2d(after, after, 3, 1, 1)
        self.skip = Conv2d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(interpolate(self.norm1(x).relu(), scale_factor=2))
        h = self.conv2(self.norm2(h).relu())
        return h + interpolate(self.skip(x), scale_factor=2)


class DownBlock(nn.Module):
    """ReLU, 3x3, ReLU, 3x3, halve; the first block of a net takes its input without a ReLU."""

    def __init__(self, before: int, after: int, halve: bool, first: bool = False) -> None:
        super().__init__()
        self.halve, self.first = halve, first
        self.conv1, self.conv2 = Conv2d(before, after, 3, 1, 1), Conv2d(after, after, 3, 1, 1)
        self.skip = Conv2d(before, after, 1) if before != after or halve else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv2(self.conv1(x if self.first else x.relu()).relu())
        pool = (lambda t: avg_pool2d(t, 2)) if self.halve else (lambda t: t)
        return pool(h) + (self.skip(pool(x)) if self.first else pool(self.skip(x)))


class Generator(nn.Module):
    """z [n, z_dim] -> images [n, c, h, w] in [-1, 1]. `attention` puts self-attention before the last doubling."""

    def __init__(self, shape: tuple[int, ...], z_dim: int = 128, width: int = 256, attention: bool = False) -> None:
        super().__init__()
        c, self.height, self.width = shape
        times = levels(self.height, self.width)
        first = ceil_size(self.height, self.width, times)
        self.start = nn.Sequential(nn.Linear(z_dim, width * first[0] * first[1]), Unflat(width, *first))
        blocks: list[nn.Module] = []
        for left in range(times, 0, -1):
            blocks += [SelfAttention(width)] if attention and left == 1 else []
            blocks.append(UpBlock(width, width))
        self.blocks = nn.Sequential(*blocks)
        self.end = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(inplace=True), Conv2d(width, c, 3, 1, 1))
        _xavier(self)

    def forward(self, z: Tensor) -> Tensor:
        return self.end(self.blocks(self.start(z)))[..., : self.height, : self.width].tanh()


class Discriminator(nn.Module):
    """Images [n, c, h, w] -> logits [n, 1]. `attention` puts self-attention after the first halving."""

    def __init__(self, shape: tuple[int, ...], width: int = 128, attention: bool = False) -> None:
        super().__init__()
        c, height, wide = shape
        halvings = max(1, levels(height, wide) - 1)
        blocks: list[nn.Module] = [DownBlock(c, width, halve=True, first=True)]
        blocks += [SelfAttention(width)] if attention else []
        blocks += [DownBlock(width, width, halve=True) for _ in range(halvings - 1)]
        blocks += [DownBlock(width, width, halve=False) for _ in range(2)]
        self.blocks = nn.Sequential(*blocks, nn.ReLU())
        self.head = nn.Linear(width, 1)
        _xavier(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(channels_last(x)).sum((2, 3))).float()
