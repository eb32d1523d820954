"""The network of FID, KID and Inception Score: Inception v3 as it was released on 2015-12-05, with the names of its weights.

Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", table 1 and figures 5 to 7. Where the
released TensorFlow graph differs from later ports, this is the graph: average pooling does not count its padding, the last
block pools by maximum, images are enlarged without half-pixel centres, and pixels are (byte - 128) / 128.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, relu

SIDE, DIM, CLASSES = 299, 2048, 1008
KEYS = 566
"""Tensors in the official weights file."""


class Unit(nn.Module):
    """Convolution without bias, batch norm, ReLU. Padding keeps the size, or there is none."""

    def __init__(self, c: int, out: int, kernel: tuple[int, int] = (1, 1), stride: int = 1, same: bool = True) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if same else (0, 0)
        self.conv = nn.Conv2d(c, out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv(x)))


class Block(nn.Module):
    """Branches side by side, their outputs one after the other.

    `branches`: for each branch its name and its layers (out, kernel, stride), where a last pair of kernels forks it.
    `pool`: average or maximum with stride 1 followed by a 1 x 1 unit of `pooled` channels, or maximum with stride 2.
    """

    def __init__(self, c: int, branches: dict[str, list[tuple]], pool: str, pooled: int = 0) -> None:
        super().__init__()
        self.pool, self.plans = pool, {}
        for name, layers in branches.items():
            width = c
            self.plans[name] = [keys for keys, _ in _numbered(name, layers)]
            for keys, (out, kernel, stride) in _numbered(name, layers):
                for key, one in zip(keys, kernel if isinstance(kernel, list) else [kernel], strict=True):
                    self.add_module(key, Unit(width, out, one, stride, same=stride == 1))
                width = out
        if pooled:
            self.branch_pool = Unit(c, pooled)

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for steps in self.plans.values():
            y = x
            for keys in steps:
                y = torch.cat([self.get_submodule(key)(y) for key in keys], 1)
            found.append(y)
        if self.pool == "average":
            found.append(self.branch_pool(avg_pool2d(x, 3, 1, 1, count_include_pad=False)))
        elif self.pool == "maximum":
            found.append(self.branch_pool(max_pool2d(x, 3, 1, 1)))
        else:
            found.append(max_pool2d(x, 3, 2))
        return torch.cat(found, 1)


def _numbered(name: str, layers: list[tuple]) -> list[tuple[list[str], tuple]]:
    """Each layer with the names of its units: branch; branch_1, branch_2 ...; branch_2a and branch_2b where it forks."""
    found = []
    for i, layer in enumerate(layers, 1):
        key = f"branch{name}" if len(layers) == 1 else f"branch{name}_{i}"
        found.append(([f"{key}a", f"{key}b"] if isinstance(layer[1], list) else [key], layer))
    return found


ONE, WIDE, TALL, FORK = (1, 1), (1, 7), (7, 1), [(1, 3), (3, 1)]


def _five(c: int, pooled: int) -> Block:
    tower = [(64, ONE, 1), (96, (3, 3), 1), (96, (3, 3), 1)]
    return Block(c, {"1x1": [(64, ONE, 1)], "5x5": [(48, ONE, 1), (64, (5, 5), 1)], "3x3dbl": tower}, "average", pooled)


def _seven(c: int, w: int) -> Block:
    tower = [(w, ONE, 1), (w, TALL, 1), (w, WIDE, 1), (w, TALL, 1), (192, WIDE, 1)]
    short = [(w, ONE, 1), (w, WIDE, 1), (192, TALL, 1)]
    return Block(c, {"1x1": [(192, ONE, 1)], "7x7": short, "7x7dbl": tower}, "average", 192)


def _eight(c: int, pool: str) -> Block:
    tower = [(448, ONE, 1), (384, (3, 3), 1), (384, FORK, 1)]
    return Block(c, {"1x1": [(320, ONE, 1)], "3x3": [(384, ONE, 1), (384, FORK, 1)], "3x3dbl": tower}, pool, 192)


class InceptionV3(nn.Module):
    """RGB images [n, 3, h, w] in [-1, 1] -> (pooled features [n, 2048], logits without bias [n, 1008])."""

    def __init__(self) -> None:
        super().__init__()
        three = (3, 3)
        self.Conv2d_1a_3x3 = Unit(3, 32, three, 2, same=False)
        self.Conv2d_2a_3x3 = Unit(32, 32, three, same=False)
        self.Conv2d_2b_3x3 = Unit(32, 64, three)
        self.Conv2d_3b_1x1 = Unit(64, 80)
        self.Conv2d_4a_3x3 = Unit(80, 192, three, same=False)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _five(192, 32), _five(256, 64), _five(288, 64)
        double = [(64, ONE, 1), (96, three, 1), (96, three, 2)]
        self.Mixed_6a = Block(288, {"3x3": [(384, three, 2)], "3x3dbl": double}, "stride 2")
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = (_seven(768, w) for w in (128, 160, 160, 192))
        tower = [(192, ONE, 1), (192, WIDE, 1), (192, TALL, 1), (192, three, 2)]
        self.Mixed_7a = Block(768, {"3x3": [(192, ONE, 1), (320, three, 2)], "7x7x3": tower}, "stride 2")
        self.Mixed_7b, self.Mixed_7c = _eight(1280, "average"), _eight(2048, "maximum")
        self.fc = nn.Linear(DIM, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = enlarged((x + 1) * 127.5, SIDE)
        x = (x - 128) / 128
        x = max_pool2d(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))), 3, 2)
        x = max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        features = x.mean((2, 3))
        return features, features @ self.fc.weight.T


def enlarged(x: Tensor, side: int) -> Tensor:
    """Bilinear resize to side x side whose pixel i lies at i * old / new: TensorFlow 1's, without half-pixel centres."""
    rows, columns = (_weights(size, side, x) for size in x.shape[2:])
    return rows @ x @ columns.T


def _weights(old: int, new: int, like: Tensor) -> Tensor:
    place = torch.arange(new, dtype=torch.float32, device=like.device) * (old / new)
    low = place.floor().long().clamp(max=old - 1)
    share = place - low
    weights = torch.zeros(new, old, device=like.device)
    weights.scatter_add_(1, low[:, None], (1 - share)[:, None])
    weights.scatter_add_(1, (low + 1).clamp(max=old - 1)[:, None], share[:, None])
    return weights
