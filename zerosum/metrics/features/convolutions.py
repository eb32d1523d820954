"""The small convolutional network that judges are made of: any number of channels, any size."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from zerosum.nets.shapes import levels

LARGEST = 64
"""Pixels of the shorter side that a judge looks at; larger images are averaged down by a whole factor."""

DIM = 128


class Convolutions(nn.Module):
    """Images [n, c, h, w] in [-1, 1] -> (features [n, 128], logits [n, classes] or None).

    As many blocks (3 x 3 convolution, batch norm, ReLU, pooling by 2) as leave the shorter side 4 pixels or more; 32 channels,
    or 64 and 128 from the second and third block on where `wide`; then 128 rectified units.
    """

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        c, height, width = shape
        self.shrink = max(1, min(height, width) // LARGEST)
        height, width = height // self.shrink, width // self.shrink
        parts: list[nn.Module] = []
        for _ in range(max(1, levels(height, width))):
            out = min(128, max(32, 2 * c if c >= 32 else 32))
            parts += [nn.Conv2d(c, out, 3, 1, 1), nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(2)]
            c, height, width = out, height // 2, width // 2
        self.trunk = nn.Sequential(*parts, nn.Flatten(), nn.Linear(c * height * width, DIM), nn.ReLU())
        self.head = nn.Linear(DIM, classes) if classes else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        if self.shrink > 1:
            x = avg_pool2d(x, self.shrink)
        features = self.trunk(x)
        return features, None if self.head is None else self.head(features)
