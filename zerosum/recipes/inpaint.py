"""Inpainting: holes in images, of any form, filled; what is known is returned as it was.

Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution": gated convolutions, random strokes and boxes as masks, and
a spectrally normalised discriminator that judges patches and sees the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Maps, Terms, Turn
from zerosum.holes import SHARE, holes
from zerosum.layers.spectral import spectral
from zerosum.losses import LossName, adversarial_loss, feature_matching
from zerosum.nets import gated, patch, perceptual
from zerosum.parts import Settings, check, ema, need_images, noisy, player_d, player_g, smoothness

NEEDS = "crops"


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Inpainting's settings."""

    batch: int = 16  # items in a batch, over all ranks together
    width: int = 32  # channels of the first layer; the middle has four times as many
    blocks: int = 4  # dilated convolutions in the middle
    width_d: int = 32  # channels of D's first layer
    mask_least: float = SHARE[0]  # least share of an image's pixels that is masked in training
    mask_most: float = SHARE[1]  # largest such share; uniform between
    pixel_share: float = 0.2  # share of training before D and features take part, in which pixels alone count
    hole_weight: float = 1.0  # weight of the mean absolute difference in the hole
    known_weight: float = 0.1  # weight of the same around it
    adv_weight: float = 0.05  # weight of D's opinion
    feature_weight: float = 1.0  # weight of the distance of the features of a network's file
    matching_weight: float = 1.0  # weight of the distance of D's own layers, where there is no such file
    features: str = ""  # file of the network whose features count (a MobileNetV2 trunk, .npz); "": those of D's own layers
    loss: LossName = "hinge"  # what the two sides minimise
    spectral_norm: bool = True  # divide D's weight matrices by their largest singular value
    lr_g: float = 1e-3  # G's learning rate
    lr_schedule: Literal["constant", "linear", "cosine"] = "cosine"  # how the learning rates fall
    lr_d: float = 1e-3  # D's learning rate
    beta1: float = 0.5  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    ema_halflife_kimg: float = 2.0  # half-life of G's moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on images, whose holes are cut while training. G takes any size that is a multiple of 8."""
    check(cfg)
    channels, height, width = need_images(spec, "inpaint", 16)
    if height % gated.MULTIPLE or width % gated.MULTIPLE:
        raise UserError(f"recipe inpaint: {height} x {width} pixels, no multiples of {gated.MULTIPLE}: choose another --size")
    if not 0 < cfg.mask_least <= cfg.mask_most < 1:
        raise UserError(f"mask_least {cfg.mask_least}, mask_most {cfg.mask_most}: must lie between 0 and 1, in this order")
    if not 0 <= cfg.pixel_share <= 1:
        raise UserError(f"pixel_share {cfg.pixel_share}: must lie in [0, 1]")
    if cfg.augment != "none":
        raise UserError(f"augment {cfg.augment}: every batch of inpaint has new masks: leave --augment out")
    G = gated.Generator(channels, cfg.width, cfg.blocks)
    D = patch.Discriminator(channels + 1, patch.layers_for(height, width), cfg.width_d, kind="none")
    if cfg.spectral_norm:
        spectral(D)
    loss = adversarial_loss(cfg.loss)
    d_is_needed = cfg.adv_weight > 0 or (cfg.matching_weight > 0 and not cfg.features)

    def d_plays(clock: Clock) -> bool:
        return d_is_needed and clock.progress >= cfg.pixel_share

    def ask(batch: Batch) -> Batch:
        x = batch["x"]
        mask = holes(len(x), x.shape[2], x.shape[3], (cfg.mask_least, cfg.mask_most), x.device)
        return {"a": x * (1 - mask), "mask": mask}

    def seen_by(x: Tensor, mask: Tensor, clock: Clock) -> Tensor:
        return torch.cat([noisy(cfg, x, clock), mask], 1)

    def d_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        if not d_plays(clock):
            return {}
        if "made" in batch:
            mask, fake_items = batch["mask"], batch["made"]
        else:
            asked = ask(batch)
            mask = asked["mask"]
            fake_items = gated.filled(nets["G"](asked["a"], mask), asked["a"], mask)
        real, fake = (nets["D"](seen_by(x, mask, clock)) for x in (batch["x"], fake_items))
        smooth = smoothness(cfg, lambda x: patch.each(nets["D"](torch.cat([x, mask], 1))), batch["x"], fake_items, clock)
        watched = {"logit_real": real.mean().detach(), "logit_fake": fake.mean().detach()}
        return {"adv": loss.d(real, fake, cfg.real_label)} | smooth | watched

    def g_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        if cfg.features:
            perceptual.check(nets["features"])
        asked, x = ask(batch), batch["x"]
        mask = asked["mask"]
        made = nets["G"](asked["a"], mask)
        whole = gated.filled(made, asked["a"], mask)
        batch |= {"mask": mask, "made": whole.detach()}
        away = (made - x).abs().mean(1, keepdim=True)
        terms = {"hole": cfg.hole_weight * share(away, mask), "known": cfg.known_weight * share(away, 1 - mask)}
        if d_plays(clock):
            seen, fake = patch.opinion(nets["D"], seen_by(whole, mask, clock))
            with torch.no_grad():
                wanted, real = patch.opinion(nets["D"], seen_by(x, mask, clock))
            terms["adv"] = cfg.adv_weight * loss.g(fake, real)
            if not cfg.features:
                terms["features"] = cfg.matching_weight * feature_matching(seen, wanted)
        if cfg.features and clock.progress >= cfg.pixel_share:
            terms["features"] = cfg.feature_weight * nets["features"](whole, x)
        return terms

    def generate(nets: nn.ModuleDict, inputs: Batch) -> Tensor:
        made = nets["G"](inputs["a"], inputs["mask"]).clamp(-1, 1)
        return gated.filled(made, inputs["a"], inputs["mask"])

    return Game(
        nets={"G": G, "D": D} | perceptual.beside(cfg.features, channels),
        players={"D": player_d(cfg, "D"), "G": player_g(cfg, "G")},
        turns=(Turn("G", g_turn), Turn("D", d_turn, repeat=cfg.n_critic)),
        draw=lambda n: {},
        generate=generate,
        ema=ema(cfg, "G"),
        phases=(cfg.pixel_share,),
        maps=Maps(ask, ("image",), (channels,), (height, width), multiple=gated.MULTIPLE, made="filled", mask=True),
    )


def share(away: Tensor, mask: Tensor) -> Tensor:
    """The mean of `away` [n, 1, h, w] where the mask is 1, each image's by itself, then over images; a scalar."""
    return ((away * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)).mean()
