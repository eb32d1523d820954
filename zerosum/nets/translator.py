"""The translator of CycleGAN: two halvings, residual blocks, two doublings, reflection at the borders; images of any size.

Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", and Zhu et al. 2017, "Unpaired
Image-to-Image Translation using Cycle-Consistent Adversarial Networks", appendix 7.2. The doublings are transposed
convolutions as theirs, with kernels of 4 pixels where they have 3: a kernel that the stride divides reaches every pixel
equally often, and so paints no chequerboard (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts"). Resizing
before a 3x3 convolution would do the same at 2.25 times the price, a pixel shuffle too.
"""

from __future__ import annotations

from torch import Tensor, nn

from zerosum.layers.border import filled_up
from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.layout import channels_last
from zerosum.layers.norm import NormName, norm
from zerosum.nets.dcgan import small_normal

MULTIPLE = 4
NEARLY = 0.99
"""Of the range of an input that is added to: at its ends the derivative of tanh would be 0 and nothing could be changed."""


def blocks_for(height: int, width: int) -> int:
    """Residual blocks: 9 from 256 pixels on, 6 below."""
    return 9 if min(height, width) >= 256 else 6


class Residual(nn.Module):
    """x + norm(3x3(relu(norm(3x3(x))))), with reflected borders, channels kept."""

    def __init__(self, wide: int, kind: NormName) -> None:
        super().__init__()

        def convolution() -> list[nn.Module]:
            return [nn.ReflectionPad2d(1), Conv2d(wide, wide, 3, bias=kind == "none"), *norm(kind, wide, affine=False)]

        self.body = nn.Sequential(*convolution(), nn.ReLU(inplace=True), *convolution())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Translator(nn.Module):
    """Images [n, before, h, w] of at least 5 x 5 pixels -> [n, after, h, w] in [-1, 1]."""

    def __init__(self, before: int, after: int, width: int = 64, blocks: int = 9, kind: NormName = "instance") -> None:
        super().__init__()

        def stage(layer: nn.Module, wide: int) -> list[nn.Module]:
            return [layer, *norm(kind, wide, affine=False), nn.ReLU(inplace=True)]

        bias = kind == "none"
        parts: list[nn.Module] = [nn.ReflectionPad2d(3), *stage(Conv2d(before, width, 7, bias=bias), width)]
        for wide in (width, 2 * width):
            parts += stage(Conv2d(wide, 2 * wide, 3, 2, 1, bias=bias), 2 * wide)
        parts += [Residual(4 * width, kind) for _ in range(blocks)]
        for wide in (4 * width, 2 * width):
            parts += stage(ConvTranspose2d(wide, wide // 2, 4, 2, 1, bias=bias), wide // 2)
        self.body = nn.Sequential(*parts, nn.ReflectionPad2d(3), Conv2d(width, after, 7))
        small_normal(self)

    def raw(self, a: Tensor) -> Tensor:
        """Images before they are brought into their range."""
        height, width = a.shape[2:]
        return self.body(channels_last(filled_up(a, MULTIPLE)))[..., :height, :width]

    def forward(self, a: Tensor) -> Tensor:
        return self.raw(a).tanh()


class Retoucher(Translator):
    """The same for kinds of as many channels, but what it paints is added to its input: untrained it changes next to nothing.

    Its last layer begins at 0. The sum is taken before the tanh, so that it stays in [-1, 1]. A residual of the input, as in
    Zhang et al. 2017, "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising", section 3.
    """

    def __init__(self, before: int, after: int, width: int = 64, blocks: int = 9, kind: NormName = "instance") -> None:
        super().__init__(before, after, width, blocks, kind)
        for p in self.body[-1].parameters():
            nn.init.zeros_(p)

    def forward(self, a: Tensor) -> Tensor:
        return (self.raw(a).float() + (NEARLY * a.float()).atanh()).tanh()
