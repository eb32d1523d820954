"""Conditional GAN: class labels steer the generator and inform the discriminator; for any labelled data.

Mirza & Osindero 2014, "Conditional Generative Adversarial Nets", section 3.2: labels enter both networks, here as
embeddings; D takes them as a projection (Miyato & Koyama 2018). Convolutions for images, perceptrons for vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Game
from zerosum.nets import dcgan, mlp
from zerosum.pair import pair
from zerosum.parts import Settings
from zerosum.penalties import PenaltyName


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """The conditional GAN's settings."""

    penalty: PenaltyName = "r1"  # penalty on D's gradient with respect to its input
    penalty_weight: float = 0.02  # weight of the penalty; images of 256 pixels want about 0.2
    lr_g: float = 1e-3  # G's learning rate
    lr_d: float = 1e-3  # D's learning rate
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    lr_schedule: Literal["constant", "linear", "cosine"] = "cosine"  # how the learning rates fall
    ema_halflife_kimg: float = 10.0  # half-life of G's moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on labelled images or vectors. Raises UserError where the data have no labels."""
    if not spec.classes:
        raise UserError("recipe cgan needs labels, and these data have none: add them (docs/data.md), or take dcgan or gan")
    if len(spec.shape) == 3:
        G: dcgan.Generator | mlp.Generator = dcgan.Generator(spec.shape, cfg.z_dim, cfg.width, spec.classes)
        D: dcgan.Discriminator | mlp.Discriminator = dcgan.Discriminator(
            spec.shape, cfg.width, spec.classes, batch_norm=cfg.penalty == "none"
        )
    else:
        G = mlp.Generator(spec.shape, cfg.z_dim, 4 * cfg.width, classes=spec.classes)
        D = mlp.Discriminator(spec.shape, 4 * cfg.width, classes=spec.classes)
    return pair(cfg, spec, G, D, labelled=True)
