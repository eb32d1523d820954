"""Adversarial autoencoder: encodes, decodes and interpolates; a discriminator shapes the codes into the prior.

Makhzani et al. 2015, "Adversarial Autoencoders", section 2: reconstruction, then D on codes (real: the prior), then the
encoder against D. The encoder is the paper's deterministic one.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import mse_loss

from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Player, Terms, Turn
from zerosum.layers.spectral import spectral
from zerosum.losses import adversarial_loss
from zerosum.nets import dcgan, mlp
from zerosum.parts import (
    Settings,
    check,
    draw_z,
    ema,
    lr_scale,
    noisy,
    optimiser,
    player_d,
    player_g,
    prior,
    smoothness,
)
from zerosum.penalties import PenaltyName


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """The adversarial autoencoder's settings."""

    z_dim: int = 16  # numbers in a code
    lr_ae: float = 1e-3  # learning rate of the reconstruction
    lr_g: float = 5e-4  # the encoder's learning rate against D; much below lr_ae, codes wander away from the prior
    lr_d: float = 1e-3  # D's learning rate
    beta1: float = 0.0  # Adam's decay of the mean gradient, all players
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, all players
    penalty: PenaltyName = "r1"  # penalty on D's gradient with respect to codes
    penalty_weight: float = 0.02  # weight of the penalty
    ema_halflife_kimg: float = 10.0  # half-life of the moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """Convolutions for images, perceptrons for vectors; a perceptron on codes."""
    check(cfg)
    if cfg.augment != "none":
        raise UserError(f"augment {cfg.augment}: is for images, and aae's discriminator judges codes: leave --augment out")
    loss, code_for = adversarial_loss(cfg.loss), prior(cfg)
    if len(spec.shape) == 3:
        enc: nn.Module = dcgan.Discriminator(spec.shape, cfg.width, out=cfg.z_dim)
        dec: nn.Module = dcgan.Generator(spec.shape, cfg.z_dim, cfg.width)
    else:
        enc = mlp.Discriminator(spec.shape, 4 * cfg.width, out=cfg.z_dim)
        dec = mlp.Generator(spec.shape, cfg.z_dim, 4 * cfg.width)
    D = mlp.Discriminator((cfg.z_dim,), 4 * cfg.width, depth=2)
    if cfg.spectral_norm:
        spectral(D)

    def reconstruct(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        return {"mse": mse_loss(nets["dec"](nets["enc"](batch["x"])).float(), batch["x"])}

    def judge(nets: nn.ModuleDict, code: Tensor, clock: Clock) -> Tensor:
        return nets["D"](noisy(cfg, code, clock))

    def d_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        code, wanted = nets["enc"](batch["x"]), code_for(batch["x"])
        real, fake = judge(nets, wanted, clock), judge(nets, code, clock)
        terms = {"adv": loss.d(real, fake, cfg.real_label)} | smoothness(cfg, nets["D"], wanted, code, clock)
        return terms | {"logit_real": real.mean().detach(), "logit_fake": fake.mean().detach()}

    def enc_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        fake = judge(nets, nets["enc"](batch["x"]), clock)
        real = judge(nets, code_for(batch["x"]), clock) if loss.g_sees_real else fake
        return {"adv": loss.g(fake, real)}

    players = {
        "AE": Player(("enc", "dec"), optimiser(cfg, cfg.lr_ae), lr_scale(cfg), cfg.clip_norm or None),
        "D": player_d(cfg, "D"),
        "E": player_g(cfg, "enc"),
    }
    return Game(
        nets={"enc": enc, "dec": dec, "D": D},
        players=players,
        turns=(Turn("AE", reconstruct), Turn("D", d_turn, repeat=cfg.n_critic), Turn("E", enc_turn)),
        draw=lambda n: {"z": draw_z(cfg, n)},
        generate=lambda nets, batch: nets["dec"](batch["z"]),
        encode=lambda nets, x: {"z": nets["enc"](x)},
        ema=ema(cfg, "enc", "dec"),
    )
