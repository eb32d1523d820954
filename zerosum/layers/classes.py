"""An embedding of classes that also takes mixtures of classes."""

from __future__ import annotations

from torch import Tensor, nn


class Classes(nn.Embedding):
    """Labels int [n], or shares of each class float [n, classes] -> vectors [n, dim]; shares weigh their classes' vectors.

    A mixture lets a picture go from one class to another (Miyato and Koyama 2018, "cGANs with Projection Discriminator",
    section 4.2 on category morphing, interpolate between the classes' parameters in the same way).
    """

    def forward(self, y: Tensor) -> Tensor:
        return y.to(self.weight.dtype) @ self.weight if y.is_floating_point() else super().forward(y)
