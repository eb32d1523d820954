"""The U-Net of pix2pix: halved to a few pixels and doubled back, with a skip at every size; images of any size.

Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3.2.1 and appendix 6.1.1.
Three things are added, each by a setting: residual 3x3 convolutions after each doubling (He et al. 2016), a last stage at
full size that sees the input itself, and instance norm, which is what the paper's batch norm is at its batches of one.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from zerosum import noise
from zerosum.layers.border import filled_up
from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.layout import channels_last, joined
from zerosum.layers.norm import NormName, norm
from zerosum.nets.dcgan import small_normal
from zerosum.nets.shapes import channels


def most_downs(height: int, width: int, limit: int = 8) -> int:
    """How often the shorter side can be halved until one pixel is left, `limit` times at most: 8 for 256, 7 for 128."""
    return max(1, min(limit, min(height, width).bit_length() - 1))


class Dropout(nn.Module):
    """Numbers are 0 with probability `share`, else 1 / (1 - share) times what they were; in training alone.

    Its draws are those of the shared stream, so that many ranks drop what one would.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.share:
            return x
        return x * (noise.uniform(*x.shape, device=x.device) >= self.share).to(x.dtype) / (1 - self.share)


class Residual(nn.Module):
    """x + norm(3x3(relu(norm(3x3(relu(x)))))), channels kept."""

    def __init__(self, wide: int, kind: NormName) -> None:
        super().__init__()
        convolution = lambda: [Conv2d(wide, wide, 3, 1, 1, bias=kind == "none"), *norm(kind, wide)]
        self.first, self.second = nn.Sequential(*convolution()), nn.Sequential(*convolution())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x.relu()).relu())


class UNet(nn.Module):
    """Images [n, before, h, w] of any height and width -> [n, after, h, w] in [-1, 1].

    `downs`: halvings. Sizes that 2**downs does not divide are filled up by reflection and cut off again. `dropout`: share
    that is dropped in the first three doublings, in training (the paper's only noise: 0.5). `blocks`: residual blocks after
    each doubling but the last. `finish`: channels of a last stage of 3x3 convolutions at full size; 0: none.
    """

    def __init__(
        self,
        before: int,
        after: int,
        downs: int,
        width: int = 64,
        kind: NormName = "instance",
        dropout: float = 0.0,
        blocks: int = 0,
        finish: int = 0,
    ) -> None:
        super().__init__()
        sizes = [before, *(channels(width, level) for level in range(1, downs + 1))]
        plain = kind == "none"
        self.downs, self.ups, self.bodies = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for level in range(1, downs + 1):
            normed = 1 < level < downs  # the first sees pixels, and the last may give a single pixel
            down = Conv2d(sizes[level - 1], sizes[level], 4, 2, 1, bias=plain or not normed)
            self.downs.append(nn.Sequential(down, *(norm(kind, sizes[level]) if normed else [])))
        for level in range(downs, 0, -1):
            wide = sizes[level] * (1 if level == downs else 2)  # what came up, and the skip
            out = sizes[level - 1] if level > 1 else finish or after
            last = level == 1 and not finish
            up = ConvTranspose2d(wide, out, 4, 2, 1, bias=plain or last)
            dropped = [Dropout(dropout)] if dropout and downs - level < 3 and not last else []
            self.ups.append(nn.Sequential(up, *([] if last else norm(kind, out)), *dropped))
            self.bodies.append(nn.Sequential(*([] if level == 1 else [Residual(out, kind) for _ in range(blocks)])))
        self.finish = None
        if finish:
            self.finish = nn.Sequential(
                Conv2d(finish + before, finish, 3, 1, 1), nn.ReLU(inplace=True), Conv2d(finish, after, 3, 1, 1)
            )
        self.multiple = 2**downs
        small_normal(self)

    def forward(self, a: Tensor) -> Tensor:
        height, width = a.shape[2:]
        a = x = channels_last(filled_up(a, self.multiple))
        skips: list[Tensor] = []
        for level, down in enumerate(self.downs):
            x = down(leaky_relu(x, 0.2) if level else x)
            skips.append(x)
        skips.pop()
        for up, body in zip(self.ups, self.bodies, strict=True):
            x = body(up(x.relu()))
            if skips:
                x = joined(x, skips.pop())
        if self.finish is not None:
            x = self.finish(joined(x.relu(), a.to(x.dtype)))
        return x[..., :height, :width].tanh()
