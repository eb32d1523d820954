"""The pair of StyleGAN2, for images of any size.

Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN": modulated convolutions (section 2.2), G with skip
connections to RGB and D with residual ones (section 4.1), noise a pixel, mixing of styles and truncation from Karras et al.
2019 ("A Style-Based Generator Architecture", sections 3.1 and 3.2, appendix B). Labels as in Karras et al. 2020 ("Training
Generative Adversarial Networks with Limited Data", appendix): an embedding beside z in G, a projection in D.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import prod, sqrt

import torch
from torch import Tensor, nn

from zerosum import noise, parallel
from zerosum.layers.equal import EqualConv2d, EqualLinear
from zerosum.layers.layout import channels_last, flat
from zerosum.layers.leaky import LeakyReLU
from zerosum.layers.minibatch_std import minibatch_std
from zerosum.layers.modulated import ModulatedConv2d
from zerosum.layers.resample import double, halve
from zerosum.nets.shapes import pyramid, tapered

ROOT2 = sqrt(2)
"""What a LeakyReLU takes from the size of a signal. Layers before one scale their output by it: it passes a factor on."""
MAPPING_LR = 0.01
"""Share of the learning rate at which mapping networks learn (Karras et al. 2019, appendix C)."""
W_MEMORY = 0.995
"""Decay of the running mean of w, a call."""


def unit(x: Tensor) -> Tensor:
    """Rows scaled to a mean square of 1."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class Mapping(nn.Module):
    """z [n, z_dim] and labels [n], or shares of classes [n, classes], (either may be absent) -> w [n, z_dim], in float32."""

    def __init__(self, z_dim: int, depth: int, classes: int = 0, noisy: bool = True) -> None:
        super().__init__()
        self.classes, self.label = classes, EqualLinear(classes, z_dim) if classes else None
        widths = [z_dim * (bool(classes) + noisy), *[z_dim] * depth]
        self.layers = nn.Sequential(
            *(part for a, b in pairwise(widths) for part in (EqualLinear(a, b, ROOT2, MAPPING_LR), LeakyReLU()))
        )

    def forward(self, z: Tensor | None, y: Tensor | None = None) -> Tensor:
        parts = [] if z is None else [unit(z)]
        if self.label is not None and y is not None:
            shares = y.float() if y.is_floating_point() else nn.functional.one_hot(y, self.classes).float()
            parts.append(unit(self.label(shares)))
        return self.layers(torch.cat(parts, 1))


class StyledConv(nn.Module):
    """A 3x3 modulated convolution, noise a pixel, LeakyReLU."""

    fixed: Tensor

    def __init__(self, before: int, after: int, w_dim: int, size: tuple[int, int], up: bool = False) -> None:
        super().__init__()
        self.style = EqualLinear(w_dim, before, bias=1.0)
        self.conv = ModulatedConv2d(before, after, 3, up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("fixed", torch.randn(1, 1, *size))
        self.size, self.leaky = size, LeakyReLU()

    def forward(self, x: Tensor, w: Tensor, pixels: Tensor | None) -> Tensor:
        """`pixels`: noise [n, h * w], or None for the fixed one."""
        with torch.autocast(x.device.type, enabled=False):
            style = self.style(w)
        x = self.conv(x, style, self.size, gain=ROOT2)
        grain = self.fixed if pixels is None else pixels.unflatten(1, (1, *self.size))
        return self.leaky(x + (grain * (self.strength * ROOT2)).to(x.dtype))


class ToImage(nn.Module):
    """A 1x1 modulated convolution to the image's channels, without demodulation."""

    def __init__(self, before: int, channels: int, w_dim: int) -> None:
        super().__init__()
        self.style = EqualLinear(w_dim, before, bias=1.0)
        self.conv = ModulatedConv2d(before, channels, 1, demodulate=False)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            style = self.style(w)
        return self.conv(x, style).to(w.dtype)


class Generator(nn.Module):
    """z [n, z_dim] (and labels [n]) -> images [n, c, h, w], within [-1, 1] in eval mode and about there in training.

    `width`: most channels of a layer, at sizes up to `full` pixels; they halve with each doubling beyond. `mixing`: share of
    training items whose later layers get the w of another noise vector, drawn by `prior` (a function of a tensor with as
    many rows). There are two layers, that is two w, for each size.
    """

    w_mean: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        z_dim: int,
        width: int,
        full: int,
        depth: int,
        classes: int,
        mixing: float,
        prior: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        sizes = pyramid(*shape[1:])
        widths = [tapered(width, size, full) for size in sizes]
        self.mapping = Mapping(z_dim, depth, classes)
        self.register_buffer("w_mean", torch.zeros(z_dim))
        self.const = nn.Parameter(torch.randn(1, widths[0], *sizes[0]))
        layers = [StyledConv(widths[0], widths[0], z_dim, sizes[0])]
        for (a, b), size in zip(pairwise(widths), sizes[1:], strict=True):
            layers += [StyledConv(a, b, z_dim, size, up=True), StyledConv(b, b, z_dim, size)]
        self.convs = nn.ModuleList(layers)
        self.counts = [prod(layer.size) for layer in layers]
        self.ends = nn.ModuleList(ToImage(c, shape[0], z_dim) for c in widths)
        self.sizes, self.layers = sizes, 2 * len(sizes)
        self.mixing, self.prior = mixing, prior

    def styles(
        self,
        z: Tensor,
        y: Tensor | None = None,
        truncation: Tensor | None = None,
        z_fine: Tensor | None = None,
        fine_from: Tensor | None = None,
    ) -> Tensor:
        """w of each layer, [n, layers, z_dim], float32.

        `truncation` [n]: how far from their mean styles go; 1 leaves them, 0 gives the mean. From layer `fine_from` [n] on
        they are those of `z_fine`. In training, mixed at random, and their mean is followed.
        """
        with torch.autocast(z.device.type, enabled=False):
            w = self.mapping(z, y)
            if self.training:
                with torch.no_grad():
                    mean = parallel.mean(w.detach().mean(0))
                    self.w_mean.lerp_(mean, 1 - W_MEMORY)
                if self.mixing:
                    z_fine, fine_from = self.prior(z), self._crossover(len(z), z.device)
            every = w[:, None].expand(-1, self.layers, -1)
            if z_fine is not None and fine_from is not None:
                coarse = torch.arange(self.layers, device=z.device) < fine_from[:, None]
                every = torch.where(coarse[..., None], every, self.mapping(z_fine, y)[:, None])
            return every if truncation is None else self.w_mean + truncation[:, None, None] * (every - self.w_mean)

    def _crossover(self, n: int, device: torch.device) -> Tensor:
        """The layer from which each item is mixed: uniform from 1, or none with probability 1 - mixing."""
        draws = noise.uniform(n, 2, device=device)
        layer = 1 + (draws[:, 0] * (self.layers - 1)).long()
        return torch.where(draws[:, 1] < self.mixing, layer, self.layers)

    def grain(self, n: int, device: torch.device) -> Tensor | None:
        """Noise for every pixel of every convolution in training, [n, pixels] in one draw; None in eval mode."""
        if not self.training:
            return None
        return noise.normal(n, sum(self.counts), device=device)

    def synthesis(self, w: Tensor, grain: Tensor | None = None) -> Tensor:
        """w [n, layers, z_dim] and noise -> images [n, c, h, w]."""
        pixels = [None] * len(self.counts) if grain is None else grain.split(self.counts, 1)
        x = channels_last(self.const.expand(w.shape[0], -1, -1, -1))  # len() would be a fixed number in a graph
        x = self.convs[0](x, w[:, 0], pixels[0])
        image = self.ends[0](x, w[:, 1])
        for stage, size in enumerate(self.sizes[1:], 1):
            at = 2 * stage - 1
            x = self.convs[at](x, w[:, at], pixels[at])
            x = self.convs[at + 1](x, w[:, at + 1], pixels[at + 1])
            with torch.autocast(image.device.type, enabled=False):  # or each size would round the sum of those before
                image = double(image, size)
            image = image + self.ends[stage](x, w[:, at + 2])
        return image

    def forward(
        self,
        z: Tensor,
        y: Tensor | None = None,
        truncation: Tensor | None = None,
        z_fine: Tensor | None = None,
        fine_from: Tensor | None = None,
    ) -> Tensor:
        return self.painted(self.styles(z, y, truncation, z_fine, fine_from))

    def painted(self, w: Tensor) -> Tensor:
        """w [n, layers, z_dim] -> images [n, c, h, w]; noise and range as `forward` has them."""
        image = self.synthesis(w, self.grain(w.shape[0], w.device))
        return image if self.training else image.clamp(-1, 1)


class DownBlock(nn.Module):
    """3x3, 3x3 to half the size, added to the halved 1x1 of the input; the sum is scaled to keep its size."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first, self.second = EqualConv2d(before, before, 3, ROOT2), EqualConv2d(before, after, 3, 1.0, down=True)
        self.skip = EqualConv2d(before, after, 1, sqrt(0.5), biased=False)
        self.leaky = LeakyReLU()

    def forward(self, x: Tensor) -> Tensor:
        # The second layer's factor is ROOT2 for the LeakyReLU times sqrt(0.5) for the sum.
        return self.leaky(self.second(self.leaky(self.first(x)))) + self.skip(halve(x))


class Discriminator(nn.Module):
    """Images [n, c, h, w] (and labels [n]) -> logits [n, 1]. Labels enter as a projection at the end, in float32."""

    def __init__(self, shape: tuple[int, ...], width: int, full: int, group: int, depth: int, classes: int) -> None:
        super().__init__()
        sizes = pyramid(*shape[1:])
        widths = [tapered(width, size, full) for size in sizes]
        top = widths[0]
        self.start = nn.Sequential(EqualConv2d(shape[0], widths[-1], 1, ROOT2), LeakyReLU())
        self.blocks = nn.Sequential(*(DownBlock(b, a) for a, b in reversed(list(pairwise(widths)))))
        self.group = group
        self.mix = nn.Sequential(EqualConv2d(top + 1, top, 3, ROOT2), LeakyReLU())
        self.dense = nn.Sequential(EqualLinear(top * prod(sizes[0]), top, ROOT2), LeakyReLU())
        self.head = EqualLinear(top, top if classes else 1)
        self.label = Mapping(top, depth, classes, noisy=False) if classes else None

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.mix(minibatch_std(self.blocks(self.start(channels_last(x))), self.group))
        with torch.autocast(x.device.type, enabled=False):
            h = self.head(self.dense(flat(x.float())))
            if self.label is None or y is None:
                return h
            return (h * self.label(None, y)).sum(1, keepdim=True) / sqrt(h.shape[1])
