"""CycleGAN: images of one kind into another and back, learned without pairs; what comes back must be what went.

Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", sections 3 to 5 and
appendix 7. A is the kind that the batch has under `a`, B the one under `x`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from zerosum.augment import augmentation, augmented, observed
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Maps, Terms, Turn
from zerosum.layers.jitter import jittered
from zerosum.layers.norm import NormName
from zerosum.layers.pool import ImagePool
from zerosum.layers.spectral import spectral
from zerosum.losses import LossName, adversarial_loss
from zerosum.nets import patch
from zerosum.nets.translator import Retoucher, Translator, blocks_for
from zerosum.parts import Settings, check, ema, noisy, player_d, player_g, smoothness
from zerosum.translation import judged_shape, pair_maps

NEEDS = "domains"


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """CycleGAN's settings. There is no noise vector: z_dim and noise do nothing."""

    batch: int = 4  # items of each kind in a batch, over all ranks together
    loss: LossName = "least_squares"  # what the two sides minimise
    cycle_weight: float = 10.0  # weight of the mean absolute difference of what comes back, each way
    identity: float = 0.5  # times that: weight of the difference that translating into an image's own kind makes; 0: none
    pool: int = 50  # past outputs of each kind that D still sees; 0: none
    blocks: int = 0  # residual blocks of each G; 0: 9 from 256 pixels on, else 6
    n_layers: int = 0  # how often D halves what it judges the patches of; 0: 3 times from 128 pixels on, 2 from 64, else 1
    norm: NormName = "instance"  # norm of all nets
    paints: Literal["anew", "over"] = "anew"  # every pixel anew, or over the input, for kinds that differ little
    zoom: float = 286 / 256  # images are enlarged by this and cut back at random
    lr_schedule: Literal["constant", "linear", "cosine"] = "linear"  # how the learning rates fall


def build(cfg: Config, spec: Spec) -> Game:
    """The game on two kinds of images of one size. Raises UserError where there are more kinds or two sizes."""
    shape = judged_shape(spec, "cyclegan", cfg.n_layers)
    if len(spec.given) != 1:
        raise UserError(f"recipe cyclegan takes images of one kind and makes another, and was given {len(spec.given)} kinds")
    maps = pair_maps(spec)
    (before,), size = maps.channels, maps.tile
    after, blocks, n_layers = shape[0], cfg.blocks or blocks_for(*size), cfg.n_layers or patch.layers_for(*size)
    if cfg.paints == "over" and before != after:
        raise UserError(f"paints over: takes kinds of as many channels, and these have {before} and {after}: leave it out")
    net = Retoucher if cfg.paints == "over" else Translator
    translator = lambda one, other: net(one, other, cfg.width, blocks, cfg.norm)
    judge = lambda channels: patch.Discriminator(channels, n_layers, cfg.width, cfg.norm)
    return cycle(cfg, spec, maps, translator(before, after), translator(after, before), judge(before), judge(after))


def cycle(cfg: Config, spec: Spec, maps: Maps, G_AB: nn.Module, G_BA: nn.Module, D_A: nn.Module, D_B: nn.Module) -> Game:
    """Both translators' turn, then both discriminators' (eqs. 1 to 3), who see a pool of past outputs (section 4).

    The identity term (section 5.2) is left out where the two kinds have different numbers of channels.
    """
    check(cfg)
    if cfg.norm == "batch" and cfg.penalty != "none":
        raise UserError(
            f"norm batch mixes the items of a batch, and penalty {cfg.penalty} takes each alone: take instance or none"
        )
    loss = adversarial_loss(cfg.loss)
    before, size = maps.channels[0], maps.tile
    alike = before == spec.shape[0]
    if cfg.spectral_norm:
        spectral(D_A), spectral(D_B)

    def seen(batch: Batch) -> dict[str, Tensor]:
        one, other = jittered(batch["a"], zoom=cfg.zoom), jittered(batch["x"], zoom=cfg.zoom)
        return {"A": one[0], "B": other[0]}

    def judge(nets: nn.ModuleDict, side: str, x: Tensor, clock: Clock) -> Tensor:
        return nets[f"D_{side}"](noisy(cfg, augmented(nets, x.float(), clock), clock))

    def g_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        real, terms = seen(batch), {}
        for here, there in ("AB", "BA"):
            made = nets[f"G_{here}{there}"](real[here])
            batch[f"made_{there}"] = made.detach()
            fake = judge(nets, there, made, clock)
            beside = judge(nets, there, real[there], clock) if loss.g_sees_real else fake
            terms[f"adv_{there}"] = loss.g(fake, beside)
            terms[f"cycle_{here}"] = cfg.cycle_weight * l1_loss(nets[f"G_{there}{here}"](made).float(), real[here])
            if alike and cfg.identity:
                weight = cfg.cycle_weight * cfg.identity
                same = nets[f"G_{there}{here}"](real[here]).float()
                terms[f"same_{here}"] = weight * l1_loss(same, real[here])
        return terms

    def d_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        images, terms, reals, fakes = seen(batch), {}, [], []
        for here, there in ("AB", "BA"):
            name = f"made_{there}"
            fresh = batch[name] if name in batch else nets[f"G_{here}{there}"](images[here])
            made = nets[f"pool_{there}"](fresh)
            real, fake = judge(nets, there, images[there], clock), judge(nets, there, made, clock)
            terms[f"adv_{there}"] = loss.d(real, fake, cfg.real_label)
            critic = lambda x, there=there: patch.each(nets[f"D_{there}"](augmented(nets, x, clock)))
            for name, term in smoothness(cfg, critic, images[there], made, clock).items():
                terms[f"{name}_{there}"] = term
            reals.append(real)
            fakes.append(fake)
        watched = {"logit_real": torch.cat(reals, 1), "logit_fake": torch.cat(fakes, 1)}  # an item of each kind in a row
        said = {name: value.mean().detach() for name, value in watched.items()}
        return terms | said | observed(nets, watched["logit_real"], clock)

    pools = {"pool_A": ImagePool((before, *size), cfg.pool), "pool_B": ImagePool(spec.shape, cfg.pool)}
    return Game(
        nets={"G_AB": G_AB, "G_BA": G_BA, "D_A": D_A, "D_B": D_B, **pools, **augmentation(cfg, spec)},
        players={"G": player_g(cfg, "G_AB", "G_BA"), "D": player_d(cfg, "D_A", "D_B")},
        turns=(Turn("G", g_turn), Turn("D", d_turn, repeat=cfg.n_critic)),
        draw=lambda n: {},
        generate=lambda nets, inputs: nets["G_AB"](inputs["a"]),
        ema=ema(cfg, "G_AB", "G_BA"),
        maps=replace(maps, paired=False, back=lambda nets, inputs: nets["G_BA"](inputs["a"])),
    )
