"""PatchGAN: a discriminator that judges overlapping patches, each by itself; images of any size.

Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3.2.2 and appendix 6.1.2.
"""

from __future__ import annotations

from torch import Tensor, nn

from zerosum.layers.conv import Conv2d
from zerosum.layers.layout import channels_last
from zerosum.layers.leaky import LeakyReLU
from zerosum.layers.norm import NormName, norm
from zerosum.nets.dcgan import small_normal
from zerosum.nets.shapes import channels, levels


def least(n_layers: int) -> int:
    """Pixels of the shorter side below which so many halvings leave no patch to judge: 6 for one, 24 for three."""
    return 3 << n_layers


def layers_for(height: int, width: int) -> int:
    """Halvings before the patches are judged: 3 from 128 pixels on (patches of 70 pixels), 2 from 64 on (34), else 1 (16)."""
    return min(3, max(1, levels(height, width) - 2))


def receptive_field(n_layers: int) -> int:
    """Pixels along a side of the patch that one logit sees: 16, 34, 70 for 1, 2, 3 halvings."""
    seen = 1
    for stride in (1, 1, *(2,) * n_layers):  # from the logit back to the pixels, by kernels of 4
        seen = (seen - 1) * stride + 4
    return seen


class Discriminator(nn.Module):
    """Images [n, channels, h, w] -> logits [n, 1, h', w'], one for each patch.

    A conditional one is given the input beside the output as more channels. 4x4 convolutions: `n_layers` halve, one more
    widens, one more gives logits; norm on all but the first and the last. A penalty on the gradient of each item needs `kind`
    other than batch.
    """

    def __init__(self, inputs: int, n_layers: int = 3, width: int = 64, kind: NormName = "instance") -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        before = inputs
        for level in range(1, n_layers + 2):
            after = channels(width, level)
            normed = level > 1
            layer = Conv2d(before, after, 4, 1 if level > n_layers else 2, 1, bias=not normed or kind == "none")
            self.stages.append(nn.Sequential(layer, *(norm(kind, after) if normed else []), LeakyReLU()))
            before = after
        self.head = Conv2d(before, 1, 4, 1, 1)
        small_normal(self)

    def maps(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """(the feature map that each stage gives, logits)."""
        x, found = channels_last(x), []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found, self.head(x).float()

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x)[1]


def each(logits: Tensor) -> Tensor:
    """Logits of patches [n, 1, h, w] -> one number an item, the mean of its own, [n]: what penalties take D for."""
    return logits.mean((1, 2, 3))


def opinion(D: nn.Module, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """What a discriminator of this file gives of images: (the feature map of each stage, logits)."""
    assert isinstance(D, Discriminator)
    return D.maps(x)
