"""Batch normalisation whose gain and bias belong to the class."""

from __future__ import annotations

from torch import Tensor, nn


class ClassNorm(nn.Module):
    """Batch norm of images [n, c, h, w], then each class's own gain and bias; one gain and bias where there are no classes.

    Dumoulin et al. 2017, "A Learned Representation for Artistic Style", eq. 5, with batch instead of instance statistics as
    in de Vries et al. 2017, "Modulating early visual processing by language". Begins as plain batch norm.
    """

    def __init__(self, channels: int, classes: int = 0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=not classes)
        self.gain = nn.Embedding(classes, channels) if classes else None
        self.bias = nn.Embedding(classes, channels) if classes else None
        if self.gain is not None and self.bias is not None:
            nn.init.ones_(self.gain.weight)
            nn.init.zeros_(self.bias.weight)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.norm(x)
        if self.gain is None or self.bias is None or y is None:
            return x
        shape = (*self.gain(y).shape, 1, 1)
        return x * self.gain(y).view(shape).to(x.dtype) + self.bias(y).view(shape).to(x.dtype)
