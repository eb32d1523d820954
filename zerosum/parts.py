"""Settings and parts that every recipe can take: the noise, the payoff, optimisers, schedules, averages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import cos, pi
from typing import Literal

import torch
from torch import Tensor, nn

from zerosum import noise
from zerosum.adam import Adam
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Clock, Player, Schedule, Terms
from zerosum.losses import LossName, adversarial_loss
from zerosum.penalties import Critic, PenaltyName, as_trained, clipped, penalty, r1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every recipe understands. A recipe's own Config changes the defaults and adds fields."""

    batch: int = 64  # items in a batch, over all ranks together
    z_dim: int = 100  # numbers in a noise vector
    noise: Literal["normal", "uniform"] = "normal"  # law of each number: N(0, 1), or uniform in [-1, 1]
    width: int = 64  # channels (or units) of the narrowest hidden layer
    loss: LossName = "nonsaturating"  # what the two sides minimise
    real_label: float = 1.0  # D's target for real items; 0.9 is one-sided label smoothing
    instance_noise: float = 0.0  # standard deviation of noise on D's input at the start, in model space; falls to 0
    n_critic: int = 1  # D's turns for each turn of G
    optim: Literal["adam", "rmsprop"] = "adam"  # optimiser of both sides
    lr_g: float = 2e-4  # G's learning rate
    lr_d: float = 2e-4  # D's learning rate
    beta1: float = 0.5  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.999  # Adam's decay of the mean squared gradient, both sides
    beta2_start: float | None = None  # its value at the start, from where it goes to beta2 by a half cosine; none: beta2
    lr_schedule: Literal["constant", "linear", "cosine"] = "constant"  # how the learning rates fall
    lr_decay_from: float = 0.5  # share of training, or of schedule_kimg, after which they fall
    lr_end: float = 0.0  # share of the learning rates that is left at the end
    schedule_kimg: float = 0.0  # thousands of items over which schedules run, then hold; 0: the whole training
    clip_norm: float = 0.0  # largest norm of a side's whole gradient; 0: no limit
    weight_clip: float = 0.0  # D's weights are kept within +- this; 0: no limit
    spectral_norm: bool = False  # divide D's weight matrices by their largest singular value
    penalty: PenaltyName = "none"  # penalty on D's gradient with respect to its input
    penalty_weight: float = 10.0  # weight of the penalty
    penalty_end: float = 1.0  # share of that weight that is left at the end of a half cosine
    penalty_exact: bool = True  # take it in float32 also where the rest is in bfloat16
    penalty_every: int = 1  # steps between penalties; the weight is multiplied by it
    augment: Literal["none", "diffaugment", "ada", "fixed"] = "none"  # change what D sees of images, against few data
    augment_p: float = 0.3  # fixed: probability of each operation
    augment_start: float | None = None  # fixed: its value at the start, from where it goes there by a half cosine
    augment_target: float = 0.6  # ada: the mean sign of D's output on real images that it steers for
    augment_kimg: float = 500.0  # ada: thousand items in which the probability can go from 0 to 1
    augment_geometry: float = 1.0  # ada, fixed: probability of mirroring, turns, shifts, scales as a share; 0: none
    augment_colour: float = 1.0  # ada, fixed: the same of colours
    augment_cutout: float = 0.0  # ada, fixed: the same of a hole
    ema_halflife_kimg: float = 0.0  # half-life of G's moving average, in thousands of items; 0: no average
    ema_rampup: float = 0.05  # while young the half-life is this share of what has been seen; 0: it grows by a half cosine


def check(cfg: Settings) -> None:
    """Raise UserError where a setting is out of range or two do not go together."""
    positive = ("batch", "z_dim", "width", "n_critic", "lr_g", "lr_d", "penalty_every", "augment_kimg")
    for name, value in vars(cfg).items():
        if isinstance(value, int | float) and not (value > 0 if name in positive else value >= 0):
            raise UserError(f"{name} {value}: must be {'greater than 0' if name in positive else '0 or more'}")
    for name in ("beta1", "beta2", "beta2_start"):
        if (getattr(cfg, name) or 0) >= 1:
            raise UserError(f"{name} {getattr(cfg, name)}: must be below 1")
    shares = ("augment_p", "augment_start", "augment_target", "augment_geometry", "augment_colour", "augment_cutout")
    for name in ("lr_decay_from", "real_label", "lr_end", "penalty_end", *shares):
        if (getattr(cfg, name) or 0) > 1:
            raise UserError(f"{name} {getattr(cfg, name)}: must be at most 1")
    if cfg.real_label != 1 and not adversarial_loss(cfg.loss).has_target:
        raise UserError(f"real_label {cfg.real_label} does nothing with loss {cfg.loss}, which has no targets")


def need_images(spec: Spec, recipe: str, least: int = 1) -> tuple[int, ...]:
    """The shape (channels, height, width), or UserError where the data are not images of at least so many pixels a side."""
    if len(spec.shape) != 3:
        raise UserError(
            f"recipe {recipe} is for images, and these are vectors of {spec.shape[0]} numbers: take gan, wgan_gp, aae, or cgan"
        )
    if min(spec.shape[1:]) < least:
        have = f"{spec.shape[1]} x {spec.shape[2]}"
        raise UserError(f"recipe {recipe} needs images of at least {least} x {least} pixels, and these are {have}: take dcgan")
    return spec.shape


def prior(cfg: Settings) -> Callable[[Tensor], Tensor]:
    """A function that draws noise [n, z_dim] for a batch of n items, on their device."""
    draw = noise.normal if cfg.noise == "normal" else partial(noise.uniform, low=-1.0, high=1.0)
    return lambda items: draw(len(items), cfg.z_dim, device=items.device)


def draw_z(cfg: Settings, n: int) -> Tensor:
    """The same law for n new items, on the CPU, from torch's global stream."""
    return torch.randn(n, cfg.z_dim) if cfg.noise == "normal" else torch.rand(n, cfg.z_dim) * 2 - 1


def optimiser(cfg: Settings, lr: float) -> Callable[[list[nn.Parameter]], torch.optim.Optimizer]:
    """One side's optimiser."""
    if cfg.optim == "rmsprop":
        return partial(torch.optim.RMSprop, lr=lr)
    return partial(Adam, lr=lr, betas=(float(cfg.beta1), float(cfg.beta2)))


def scheduled(cfg: Settings, clock: Clock) -> float:
    """How far the schedules have run, in [0, 1]: over the first `schedule_kimg` thousand items, or the whole training."""
    if not cfg.schedule_kimg:
        return clock.progress
    return min(1.0, clock.step * cfg.batch / (1000 * cfg.schedule_kimg))


def half_cosine(start: float, end: float, share: float) -> float:
    """From start to end as share goes from 0 to 1, level at both."""
    return end + (start - end) * (1 + cos(pi * share)) / 2


def lr_scale(cfg: Settings) -> Schedule | None:
    """The factor on the learning rates, from 1 down to `lr_end`; None where it is always 1."""
    if cfg.lr_schedule == "constant":
        return None

    def scale(clock: Clock) -> float:
        done = max(0.0, scheduled(cfg, clock) - cfg.lr_decay_from) / max(1e-9, 1 - cfg.lr_decay_from)
        left = 1 - done if cfg.lr_schedule == "linear" else half_cosine(1, 0, done)
        return cfg.lr_end + (1 - cfg.lr_end) * left

    return scale


def beta2(cfg: Settings) -> Schedule | None:
    """Adam's second decay, from `beta2_start` to `beta2`; None where it is always the same."""
    start = cfg.beta2_start
    return None if start is None else lambda clock: half_cosine(start, cfg.beta2, scheduled(cfg, clock))


def player_d(cfg: Settings, *nets: str) -> Player:
    """The side that judges."""
    optim = optimiser(cfg, cfg.lr_d)
    clipping = clipped(optim, cfg.weight_clip) if cfg.weight_clip else optim
    return Player(nets, clipping, lr_scale(cfg), cfg.clip_norm or None, beta2(cfg) if cfg.optim == "adam" else None)


def player_g(cfg: Settings, *nets: str) -> Player:
    """The side that makes."""
    second = beta2(cfg) if cfg.optim == "adam" else None
    return Player(nets, optimiser(cfg, cfg.lr_g), lr_scale(cfg), cfg.clip_norm or None, second)


def ema(cfg: Settings, *nets: str) -> dict[str, Schedule]:
    """Moving averages of these nets: decay = 0.5 ** (batch / half-life), the half-life growing with what has been seen.

    Karras et al. 2018 (ProGAN, appendix A.1) for the average; the ramp is StyleGAN2-ADA's (Karras et al. 2020), the half
    cosine R3GAN's (Huang et al. 2024).
    """
    if not cfg.ema_halflife_kimg:
        return {}

    def decay(clock: Clock) -> float:
        half_life = 1000 * cfg.ema_halflife_kimg
        if cfg.ema_rampup:
            half_life = min(half_life, cfg.ema_rampup * cfg.batch * (clock.step + 1))
        else:
            half_life = half_cosine(0, half_life, scheduled(cfg, clock))
        return 0.5 ** (cfg.batch / max(half_life, 1e-9))

    return {net: decay for net in nets}


def noisy(cfg: Settings, x: Tensor, clock: Clock) -> Tensor:
    """x with instance noise, annealed linearly to none (Sonderby et al. 2017, "Amortised MAP Inference").

    What the guard added to it stays.
    """
    spread = cfg.instance_noise * (1 - clock.progress) + clock.instance_noise
    return x + spread * noise.normal(*x.shape, device=x.device) if spread else x


def penalty_weight(cfg: Settings, clock: Clock) -> float:
    """The penalty's weight now: it falls to the share `penalty_end` by a half cosine."""
    return cfg.penalty_weight * half_cosine(1, cfg.penalty_end, scheduled(cfg, clock))


def smoothness(cfg: Settings, critic: Critic, real: Tensor, fake: Tensor, clock: Clock) -> Terms:
    """The penalty's term, {} at steps without one. Taken every k steps it weighs k times as much.

    R1 that the guard added is a term of its own.

    Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 3.1: lazy regularisation.
    """
    added = {"guard_r1": clock.r1 * r1(critic, real, fake)} if clock.r1 else {}
    smooth = penalty(cfg.penalty)
    if smooth is None or clock.step % cfg.penalty_every:
        return added
    if not cfg.penalty_exact:
        critic = as_trained(critic, real.device.type)
    return {cfg.penalty: penalty_weight(cfg, clock) * cfg.penalty_every * smooth(critic, real, fake)} | added
