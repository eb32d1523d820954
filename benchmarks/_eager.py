"""The networks of `stylegan2` and `r3gan` in a plain float32 eager loop, written as tutorials write them.

Contiguous maps; modulated convolutions as one grouped convolution over per-item weights; an Adam that is not fused; torch's
own second derivatives, penalties in the same loop; D not frozen in G's turn. Widths, losses and intervals are the recipes'.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod, sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zerosum.nets.shapes import pyramid, tapered

LINE = torch.tensor([1.0, 3, 3, 1]) / 8


def filtered(x: Tensor, up: bool) -> Tensor:
    """Bilinear resampling by a depthwise (transposed) convolution."""
    kernel = (LINE[:, None] * LINE).to(x).expand(x.shape[1], 1, 4, 4)
    if up:
        return F.conv_transpose2d(x, 4 * kernel, stride=2, padding=1, groups=x.shape[1])
    return F.conv2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


def blurred(x: Tensor, padding: int, gain: float = 1.0) -> Tensor:
    kernel = gain * (LINE[:, None] * LINE).to(x).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x, kernel, padding=padding, groups=x.shape[1])


# -- R3GAN


class Block(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(c, 2 * c, 1), nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c // 16)
        self.c = nn.Conv2d(2 * c, c, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.c(F.leaky_relu(self.b(F.leaky_relu(self.a(x), 0.2)), 0.2))


class PlainG(nn.Module):
    def __init__(self, shape: tuple[int, ...], z_dim: int, width: int, blocks: int, full: int) -> None:
        super().__init__()
        sizes = pyramid(*shape[1:])
        widths = [tapered(width, size, full) for size in sizes]
        self.basis, self.start = nn.Parameter(torch.randn(1, widths[0], *sizes[0])), nn.Linear(z_dim, widths[0], bias=False)
        stages: list[nn.Module] = []
        for a, b in pairwise(widths):
            stages += [*(Block(a) for _ in range(blocks)), nn.Conv2d(a, b, 1, bias=False), Resample(True)]
        stages += [*(Block(widths[-1]) for _ in range(blocks)), nn.Conv2d(widths[-1], shape[0], 1, bias=False)]
        self.stages = nn.Sequential(*stages)

    def forward(self, z: Tensor) -> Tensor:
        return self.stages(self.basis * self.start(z)[..., None, None])


class Resample(nn.Module):
    def __init__(self, up: bool) -> None:
        super().__init__()
        self.up = up

    def forward(self, x: Tensor) -> Tensor:
        return filtered(x, self.up)


class PlainD(nn.Module):
    def __init__(self, shape: tuple[int, ...], width: int, blocks: int, full: int) -> None:
        super().__init__()
        sizes = pyramid(*shape[1:])
        widths = [tapered(width, size, full) for size in sizes][::-1]
        stages: list[nn.Module] = [nn.Conv2d(shape[0], widths[0], 1, bias=False)]
        for a, b in pairwise(widths):
            stages += [*(Block(a) for _ in range(blocks)), Resample(False), nn.Conv2d(a, b, 1, bias=False)]
        top = widths[-1]
        stages += [*(Block(top) for _ in range(blocks)), nn.Conv2d(top, top, sizes[0], groups=top, bias=False), nn.Flatten()]
        self.stages = nn.Sequential(*stages, nn.Linear(top, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(x)


# -- StyleGAN2


class Equal(nn.Module):
    def __init__(self, a: int, b: int, kernel: int = 0, start: float = 0.0, lr: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(b, a, *[kernel] * (2 if kernel else 0)) / lr)
        self.bias, self.lr, self.scale = nn.Parameter(torch.full((b,), start / lr)), lr, lr / sqrt(self.weight[0].numel())

    def forward(self, x: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        if self.weight.ndim == 2:
            return F.linear(x, self.weight * self.scale, self.bias * self.lr)
        return F.conv2d(x, self.weight * self.scale, self.bias * self.lr, stride, padding)


def leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2) * sqrt(2)


class Modulated(nn.Module):
    """Weights of each item's own, convolved as groups."""

    def __init__(self, a: int, b: int, kernel: int, w_dim: int, up: bool = False, demodulate: bool = True) -> None:
        super().__init__()
        self.weight, self.style = nn.Parameter(torch.randn(b, a, kernel, kernel)), Equal(w_dim, a, start=1.0)
        self.bias, self.up, self.demodulate = nn.Parameter(torch.zeros(b)), up, demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        n, a, h, wide = x.shape
        b, k = self.weight.shape[0], self.weight.shape[-1]
        weight = self.weight / sqrt(a * k * k) * self.style(w)[:, None, :, None, None]
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        x = x.reshape(1, n * a, h, wide)
        if self.up:
            weight = weight.transpose(1, 2).reshape(n * a, b, k, k)
            x = F.conv_transpose2d(x, weight, stride=2, groups=n)
            x = blurred(x.view(n, b, *x.shape[2:]), 1, 4.0)
        else:
            x = F.conv2d(x, weight.view(n * b, a, k, k), padding=k // 2, groups=n).view(n, b, h, wide)
        return x + self.bias[:, None, None]


class StyledG(nn.Module):
    def __init__(self, shape: tuple[int, ...], z_dim: int, width: int, full: int, depth: int) -> None:
        super().__init__()
        sizes = pyramid(*shape[1:])
        widths = [tapered(width, size, full) for size in sizes]
        self.mapping = nn.ModuleList(Equal(z_dim, z_dim, lr=0.01) for _ in range(depth))
        self.const = nn.Parameter(torch.randn(1, widths[0], *sizes[0]))
        self.convs = nn.ModuleList([Modulated(widths[0], widths[0], 3, z_dim)])
        for a, b in pairwise(widths):
            self.convs += [Modulated(a, b, 3, z_dim, up=True), Modulated(b, b, 3, z_dim)]
        self.strengths = nn.ParameterList(torch.zeros(()) for _ in self.convs)
        self.ends = nn.ModuleList(Modulated(c, shape[0], 1, z_dim, demodulate=False) for c in widths)
        self.layers, self.mean = 2 * len(sizes), torch.zeros(z_dim)

    def styles(self, z: Tensor) -> Tensor:
        def mapped(z: Tensor) -> Tensor:
            z = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
            for layer in self.mapping:
                z = leaky(layer(z))
            return z

        w = mapped(z)
        self.mean = w.detach().mean(0).lerp(self.mean.to(w), 0.995)
        at = torch.randint(1, self.layers + 1, (len(z), 1), device=z.device)
        first = torch.arange(self.layers, device=z.device) < at
        return torch.where(first[..., None], w[:, None], mapped(torch.randn_like(z))[:, None])

    def synthesis(self, w: Tensor) -> Tensor:
        def one(i: int, x: Tensor) -> Tensor:
            x = self.convs[i](x, w[:, i])
            return leaky(x + self.strengths[i] * torch.randn(len(x), 1, *x.shape[2:], device=x.device))

        x = one(0, self.const.expand(len(w), -1, -1, -1))
        image = self.ends[0](x, w[:, 1])
        for i in range(1, len(self.convs), 2):
            x = one(i + 1, one(i, x))
            image = filtered(image, True) + self.ends[(i + 1) // 2](x, w[:, i + 2])
        return image

    def forward(self, z: Tensor) -> Tensor:
        return self.synthesis(self.styles(z))


class StyledD(nn.Module):
    def __init__(self, shape: tuple[int, ...], width: int, full: int) -> None:
        super().__init__()
        sizes = pyramid(*shape[1:])
        widths = [tapered(width, size, full) for size in sizes][::-1]
        self.start = Equal(shape[0], widths[0], 1)
        steps = list(pairwise(widths))
        self.first = nn.ModuleList(Equal(a, a, 3) for a, _ in steps)
        self.second = nn.ModuleList(Equal(a, b, 3) for a, b in steps)
        self.skip = nn.ModuleList(Equal(a, b, 1) for a, b in steps)
        top = widths[-1]
        self.mix, self.dense, self.head = Equal(top + 1, top, 3), Equal(top * prod(sizes[0]), top), Equal(top, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = leaky(self.start(x))
        for first, second, skip in zip(self.first, self.second, self.skip, strict=True):
            h = leaky(second(blurred(leaky(first(x, padding=1)), 2), stride=2))
            x = (h + skip(filtered(x, False))) / sqrt(2)
        spread = x.view(len(x) // 4, 4, -1).var(1, unbiased=False).add(1e-8).sqrt().mean(1).repeat_interleave(4)
        x = torch.cat([x, spread[:, None, None, None].expand(-1, 1, *x.shape[2:])], 1)
        return self.head(leaky(self.dense(leaky(self.mix(x, padding=1)).flatten(1))))


class Loop:
    """One recipe's training, a step at a time, on images [n, c, h, w]. `dtype` bfloat16: autocast, penalties in float32."""

    def __init__(self, recipe: str, cfg: Any, shape: tuple[int, ...], device: str, dtype: torch.dtype) -> None:
        self.styled, self.cfg, self.device, self.dtype = recipe == "stylegan2", cfg, device, dtype
        if self.styled:
            G: nn.Module = StyledG(shape, cfg.z_dim, cfg.width, cfg.full, cfg.mapping_depth)
            D: nn.Module = StyledD(shape, cfg.width, cfg.full)
        else:
            G = PlainG(shape, cfg.z_dim, cfg.width, cfg.blocks, cfg.full)
            D = PlainD(shape, cfg.width, cfg.blocks, cfg.full)
        self.G, self.D = G.to(device), D.to(device)
        self.average = [p.detach().clone() for p in self.G.parameters()]
        adam = lambda net: torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.0, 0.99), foreach=False, fused=False)
        self.optims = {"G": adam(self.G), "D": adam(self.D)}
        self.count, self.path = 0, torch.zeros((), device=device)

    def learn(self, who: str, loss: Tensor) -> None:
        loss.backward()
        self.optims[who].step()
        self.optims["G"].zero_grad()
        self.optims["D"].zero_grad()

    def slope(self, x: Tensor) -> Tensor:
        """Half the mean squared gradient of D."""
        with torch.autocast(self.device, enabled=False):
            x = x.detach().float().requires_grad_()
            (gradient,) = torch.autograd.grad(self.D(x).sum(), x, create_graph=True)
            return gradient.square().sum((1, 2, 3)).mean() / 2

    def step(self, x: Tensor) -> None:
        """D's turn, G's turn, the lazy turns that are due, the average."""
        z = lambda n: torch.randn(n, self.cfg.z_dim, device=self.device)
        cast = lambda: torch.autocast(self.device, self.dtype, enabled=self.dtype != torch.float32)
        with cast():
            fake = self.G(z(len(x))).detach()
            real_logit, fake_logit = self.D(x), self.D(fake)
        if self.styled:
            self.learn("D", F.softplus(-real_logit).mean() + F.softplus(fake_logit).mean())
            if self.count % self.cfg.penalty_every == 0:
                self.learn("D", self.slope(x) * self.cfg.penalty_weight * self.cfg.penalty_every)
        else:
            loss = F.softplus(fake_logit - real_logit).mean()
            self.learn("D", loss + self.cfg.penalty_weight * (self.slope(x) + self.slope(fake)))
        with cast():
            logit = self.D(self.G(z(len(x))))
            other = 0.0 if self.styled else self.D(x)
        self.learn("G", F.softplus(other - logit).mean())
        if self.styled and self.count % self.cfg.path_every == 0:
            w = self.G.styles(z(len(x) // 2))  # type: ignore[operator]
            images = self.G.synthesis(w)  # type: ignore[operator]
            y = torch.randn_like(images) / sqrt(prod(images.shape[2:]))
            (gradient,) = torch.autograd.grad((images * y).sum(), w, create_graph=True)
            length = gradient.square().sum(2).mean(1).sqrt()
            self.path = self.path.lerp(length.detach().mean(), 0.01)
            self.learn("G", (length - self.path).square().mean() * self.cfg.path_weight * self.cfg.path_every)
        with torch.no_grad():
            for mean, p in zip(self.average, self.G.parameters(), strict=True):
                mean.lerp_(p, 0.001)
        self.count += 1
