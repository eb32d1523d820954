"""SRGAN: photographs 2, 3 or 4 times as large; first near in every pixel, then with the texture of real ones.

Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", and its successor
ESRGAN (Wang et al. 2018): body of residual-in-residual dense blocks, relativistic loss, and a phase of pixels alone first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Maps, Player, Schedule, Terms, Turn
from zerosum.layers.spectral import spectral
from zerosum.losses import LossName, adversarial_loss, feature_matching
from zerosum.nets import patch, perceptual, rrdb
from zerosum.parts import Settings, check, ema, half_cosine, need_images, noisy, player_d, player_g, smoothness
from zerosum.penalties import PenaltyName

NEEDS = "crops"


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """SRGAN's settings."""

    scale: Literal[2, 3, 4] = 4  # how many times as large, along a side
    batch: int = 16  # items in a batch, over all ranks together
    width: int = 32  # channels of the body
    blocks: int = 2  # residual-in-residual blocks
    layers: int = 2  # convolutions of each of their three dense blocks
    finish: int = 16  # channels of G's last stage, at full size
    width_d: int = 32  # channels of D's first layer
    pixel_share: float = 0.4  # share of training before D takes part, in which pixels alone count
    pixel_weight: float = 1.0  # weight of the mean absolute difference of pixels once D takes part
    adv_weight: float = 0.02  # weight of D's opinion
    feature_weight: float = 0.6  # weight of the distance of the features of a network's file
    matching_weight: float = 1.0  # weight of the distance of D's own layers, where there is no such file
    features: str = ""  # file of the network whose features count (a MobileNetV2 trunk, .npz); "": those of D's own layers
    loss: LossName = "relativistic"  # what the two sides minimise
    spectral_norm: bool = True  # divide D's weight matrices by their largest singular value
    penalty: PenaltyName = "r1"  # penalty on D's gradient with respect to its input
    penalty_weight: float = 100.0  # weight of the penalty, which sees the mean over D's patches
    penalty_every: int = 4  # steps between penalties; the weight is multiplied by it
    lr_g: float = 2e-3  # G's learning rate while pixels alone count
    lr_gan: float = 1e-3  # G's learning rate afterwards
    lr_d: float = 4e-4  # D's learning rate
    beta1: float = 0.9  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    ema_halflife_kimg: float = 2.0  # half-life of G's moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on crops of photographs, whose low-resolution inputs are made while training. G takes any size."""
    check(cfg)
    channels, height, width = need_images(spec, "srgan", 8 * cfg.scale)
    if height % cfg.scale or width % cfg.scale:
        fits = f"{height // cfg.scale * cfg.scale}x{width // cfg.scale * cfg.scale}"
        raise UserError(f"scale {cfg.scale}: images of {height} x {width} are not divisible by it: take --size {fits}")
    if not 0 <= cfg.pixel_share <= 1:
        raise UserError(f"pixel_share {cfg.pixel_share}: must lie in [0, 1]")
    for name, value in (("layers", cfg.layers), ("finish", cfg.finish)):
        if not value:
            raise UserError(f"{name} {value}: must be 1 or more")
    if cfg.augment != "none":
        raise UserError(f"augment {cfg.augment}: srgan's crops are augmentation: leave --augment out")
    G = rrdb.Generator(channels, cfg.scale, cfg.width, cfg.blocks, cfg.layers, cfg.finish)
    D = patch.Discriminator(channels, patch.layers_for(height, width), cfg.width_d, kind="none")
    if cfg.spectral_norm:
        spectral(D)
    loss = adversarial_loss(cfg.loss)

    def ask(batch: Batch) -> Batch:
        small = rrdb.resized(batch["x"], height // cfg.scale, width // cfg.scale)
        return {"a": ((small + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1}  # files have 8 bits

    def make(nets: nn.ModuleDict, inputs: Batch) -> Tensor:
        return nets["G"](inputs["a"])

    def d_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        if pixels_alone(cfg, clock):
            return {}
        fake_items = batch["made"] if "made" in batch else make(nets, ask(batch))
        real, fake = nets["D"](noisy(cfg, batch["x"], clock)), nets["D"](noisy(cfg, fake_items, clock))
        smooth = smoothness(cfg, lambda x: patch.each(nets["D"](x)), batch["x"], fake_items, clock)
        watched = {"logit_real": real.mean().detach(), "logit_fake": fake.mean().detach()}
        return {"adv": loss.d(real, fake, cfg.real_label)} | smooth | watched

    def g_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        if cfg.features:
            perceptual.check(nets["features"])
        made = make(nets, ask(batch))
        batch["made"] = made.detach()
        l1 = (made - batch["x"]).abs().mean()
        if pixels_alone(cfg, clock):
            return {"l1": l1}
        seen, fake = patch.opinion(nets["D"], noisy(cfg, made, clock))
        with torch.no_grad():
            wanted, real = patch.opinion(nets["D"], noisy(cfg, batch["x"], clock))
        if cfg.features:
            look = cfg.feature_weight * nets["features"](made, batch["x"])
        else:
            look = cfg.matching_weight * feature_matching(seen, wanted)
        return {"l1": cfg.pixel_weight * l1, "adv": cfg.adv_weight * loss.g(fake, real), "features": look}

    return Game(
        nets={"G": G, "D": D} | perceptual.beside(cfg.features, channels),
        players={"D": player_d(cfg, "D"), "G": _paced(cfg, player_g(cfg, "G"))},
        turns=(Turn("G", g_turn), Turn("D", d_turn, repeat=cfg.n_critic)),
        draw=lambda n: {},
        generate=lambda nets, inputs: make(nets, inputs).clamp(-1, 1),
        ema=ema(cfg, "G"),
        phases=(cfg.pixel_share,),
        maps=Maps(ask, ("small",), (channels,), (height // cfg.scale, width // cfg.scale), scale=cfg.scale, made="large"),
    )


def pixels_alone(cfg: Config, clock: Clock) -> bool:
    """Whether training stands in its first phase. A share of it, not a step: the time's end may be all that is planned."""
    return clock.progress < cfg.pixel_share


def _paced(cfg: Config, player: Player) -> Player:
    """G's learning rate: from `lr_g` down by a half cosine to a fiftieth of it, then from `lr_gan` down by another."""
    return replace(player, lr_scale=partial(_pace, cfg, player.lr_scale))


def _pace(cfg: Config, own: Schedule | None, clock: Clock) -> float:
    if pixels_alone(cfg, clock):
        return half_cosine(1.0, 0.02, clock.progress / cfg.pixel_share)
    late = (clock.progress - cfg.pixel_share) / max(1e-9, 1 - cfg.pixel_share)
    return cfg.lr_gan / cfg.lr_g * (own(clock) if own else half_cosine(1.0, 0.1, late))
