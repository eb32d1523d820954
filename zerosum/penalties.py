"""What keeps a discriminator smooth: penalties on its gradient at chosen points, and clipping of its weights.

A critic is a function from items [n, ...] to logits [n] or [n, 1] in which each item's logit depends on that item alone
(no batch normalisation), or the per-item gradients below are not what they claim to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from zerosum import noise

Critic = Callable[[Tensor], Tensor]


@contextmanager
def exact() -> Iterator[None]:
    """Float32 and eager, for second derivatives: torch.compile has no double backward, bfloat16 no digits to spare."""
    with (
        torch.autocast("cpu", enabled=False),
        torch.autocast("cuda", enabled=False),
        torch.compiler.set_stance("force_eager"),
    ):
        yield


def as_trained(critic: Critic, device: str) -> Critic:
    """The same critic in the precision that holds here and now, also within `exact()`.

    For networks that are linear between kinks: there a second derivative in bfloat16 is as good as a first one.
    """
    dtype, enabled = torch.get_autocast_dtype(device), torch.is_autocast_enabled(device)

    def half(x: Tensor) -> Tensor:
        with torch.autocast(device, dtype, enabled=enabled):
            return critic(x)

    return half


def input_gradient(critic: Critic, x: Tensor) -> Tensor:
    """d critic(x_i) / d x_i for every item, [n, ...] like x, itself differentiable."""
    x = x.detach().float().requires_grad_(True)
    with exact(), torch.enable_grad():
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient


def squared_norm(gradient: Tensor) -> Tensor:
    """Squared Euclidean norm of each item's gradient, [n]."""
    return gradient.flatten(1).square().sum(1)


def _one_centred(critic: Critic, x: Tensor) -> Tensor:
    """E[(||grad|| - 1)^2]. The tiny constant keeps the root's derivative finite where the gradient is exactly zero."""
    return ((squared_norm(input_gradient(critic, x)) + 1e-12).sqrt() - 1).square().mean()


def _per_item(x: Tensor) -> Tensor:
    """One number in [0, 1) for each item, shaped to multiply it."""
    return noise.uniform(len(x), *[1] * (x.ndim - 1), device=x.device)


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E[(||grad D(x)|| - 1)^2] at x uniform on the lines between paired real and fake items.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", eq. 3 (their weight: 10).
    """
    share = _per_item(real)
    return _one_centred(critic, share * real.detach() + (1 - share) * fake.detach())


def r1(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E[||grad D(real)||^2] / 2 (Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", eq. 9)."""
    return squared_norm(input_gradient(critic, real)).mean() / 2


def r2(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E[||grad D(fake)||^2] / 2 (Mescheder et al. 2018, eq. 10)."""
    return squared_norm(input_gradient(critic, fake)).mean() / 2


def r1_r2(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """r1 + r2, both at once (Huang et al. 2024, "The GAN is dead; long live the GAN!")."""
    return r1(critic, real, fake) + r2(critic, real, fake)


def dragan(critic: Critic, real: Tensor, fake: Tensor, spread: float = 0.3) -> Tensor:
    """E[(||grad D(real + delta)|| - 1)^2], delta ~ N(0, spread^2): smooth around the data alone.

    Kodali et al. 2017, "On Convergence and Stability of GANs", with k = 1. The paper leaves the noise's
    variance open; 0.3 is about half the standard deviation of images in [-1, 1].
    """
    delta = spread * noise.normal(*real.shape, device=real.device)
    return _one_centred(critic, real.detach() + delta)


def path_lengths(synthesis: Callable[[Tensor], Tensor], w: Tensor) -> Tensor:
    """||J_w^T y|| for images y of independent normal pixels, scaled to unit length on average; [n], differentiable.

    Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 3.2, eq. 4. `w`: [n, layers, dim],
    with a gradient; the length is the root of the mean square over layers.
    """
    with exact(), torch.enable_grad():
        images = synthesis(w)
        y = noise.normal(*images.shape, device=images.device) / (images.shape[2] * images.shape[3]) ** 0.5
        (gradient,) = torch.autograd.grad((images * y.to(images.dtype)).sum(), w, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()


PenaltyName = Literal["none", "gradient_penalty", "r1", "r2", "r1_r2", "dragan"]
Penalty = Callable[[Critic, Tensor, Tensor], Tensor]


def penalty(name: PenaltyName) -> Penalty | None:
    """A penalty (critic, real, fake) -> scalar by its usual name; None for "none"."""
    table: dict[PenaltyName, Penalty | None] = {
        "none": None,
        "gradient_penalty": gradient_penalty,
        "r1": r1,
        "r2": r2,
        "r1_r2": r1_r2,
        "dragan": dragan,
    }
    return table[name]


def clipped(optim: Callable[[list[nn.Parameter]], torch.optim.Optimizer], c: float):
    """The same optimiser, which ends each step by clamping every weight to [-c, c].

    Weight clipping of Arjovsky et al. 2017 ("Wasserstein GAN", algorithm 1, line 7): projected descent on a box.
    """

    def build(params: list[nn.Parameter]) -> torch.optim.Optimizer:
        built = optim(params)

        def clamp(*_: object) -> None:
            with torch.no_grad():
                for p in params:
                    p.clamp_(-c, c)

        built.register_step_post_hook(clamp)
        return built

    return build
