"""AC-GAN: the discriminator also names the class, and the generator is paid for being recognised.

Odena et al. 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs", section 3, eqs. 2 and 3: D maximises
L_S + L_C, G maximises L_C - L_S. It is known to trade variety within a class for items that are easy to name.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from zerosum.augment import augmentation, augmented, observed
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Player, Terms, Turn
from zerosum.layers.spectral import spectral
from zerosum.losses import adversarial_loss
from zerosum.nets import dcgan, mlp
from zerosum.parts import Settings, check, draw_z, ema, noisy, player_d, player_g, prior, smoothness


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """AC-GAN's settings."""

    class_weight: float = 1.0  # weight of the classification, both sides


def build(cfg: Config, spec: Spec) -> Game:
    """Convolutions for images, perceptrons for vectors. Raises UserError where the data have no labels."""
    check(cfg)
    if not spec.classes:
        raise UserError("recipe acgan needs labels, and these data have none: add them (docs/data.md), or take dcgan or gan")
    loss, z_for, out = adversarial_loss(cfg.loss), prior(cfg), 1 + spec.classes
    if len(spec.shape) == 3:
        G: nn.Module = dcgan.Generator(spec.shape, cfg.z_dim, cfg.width, spec.classes)
        D: nn.Module = dcgan.Discriminator(spec.shape, cfg.width, batch_norm=cfg.penalty == "none", out=out)
    else:
        G = mlp.Generator(spec.shape, cfg.z_dim, 4 * cfg.width, classes=spec.classes)
        D = mlp.Discriminator(spec.shape, 4 * cfg.width, out=out)
    if cfg.spectral_norm:
        spectral(D)

    def make(nets: nn.ModuleDict, batch: Batch) -> Tensor:
        return nets["G"](z_for(batch["x"]), batch["y"])

    def judge(nets: nn.ModuleDict, x: Tensor, clock: Clock) -> tuple[Tensor, Tensor]:
        said = nets["D"](noisy(cfg, augmented(nets, x, clock), clock))
        return said[:, :1], said[:, 1:]

    def d_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        made = make(nets, batch)
        (real, named_real), (fake, named_fake) = judge(nets, batch["x"], clock), judge(nets, made, clock)
        named = cross_entropy(named_real, batch["y"]) + cross_entropy(named_fake, batch["y"])
        smooth = smoothness(cfg, lambda x: nets["D"](augmented(nets, x, clock))[:, :1], batch["x"], made, clock)
        watched = {"logit_real": real.mean().detach(), "logit_fake": fake.mean().detach()} | observed(nets, real, clock)
        return {"adv": loss.d(real, fake, cfg.real_label), "class": cfg.class_weight * named} | smooth | watched

    def g_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        fake, named = judge(nets, make(nets, batch), clock)
        real = judge(nets, batch["x"], clock)[0] if loss.g_sees_real else fake
        return {"adv": loss.g(fake, real), "class": cfg.class_weight * cross_entropy(named, batch["y"])}

    players: dict[str, Player] = {"D": player_d(cfg, "D"), "G": player_g(cfg, "G")}
    return Game(
        nets={"G": G, "D": D, **augmentation(cfg, spec)},
        players=players,
        turns=(Turn("D", d_turn, repeat=cfg.n_critic), Turn("G", g_turn)),
        draw=lambda n: {"z": draw_z(cfg, n), "y": spec.draw_labels(n)},
        generate=lambda nets, batch: nets["G"](batch["z"], batch["y"]),
        ema=ema(cfg, "G"),
        judge=lambda nets, batch: nets["D"](batch["x"])[:, 0],
    )
