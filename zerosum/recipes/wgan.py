"""WGAN: a critic with clipped weights estimates the Wasserstein distance; five critic steps for one of the generator.

Arjovsky et al. 2017, "Wasserstein GAN", algorithm 1. The critic has no batch norm on vectors, DCGAN's on images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.data.source import Spec
from zerosum.game import Game
from zerosum.losses import LossName
from zerosum.nets import dcgan, mlp
from zerosum.pair import pair
from zerosum.parts import Settings


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """WGAN's settings: the paper's defaults."""

    loss: LossName = "wasserstein"  # what the two sides minimise
    n_critic: int = 5  # D's turns for each turn of G
    weight_clip: float = 0.01  # D's weights are kept within +- this
    optim: Literal["adam", "rmsprop"] = "rmsprop"  # optimiser of both sides
    lr_g: float = 5e-5  # G's learning rate
    lr_d: float = 5e-5  # D's learning rate


def build(cfg: Config, spec: Spec) -> Game:
    """Convolutions for images, perceptrons for vectors."""
    if len(spec.shape) == 3:
        plain = cfg.penalty == "none"
        D = dcgan.Discriminator(spec.shape, cfg.width, batch_norm=plain)
        return pair(cfg, spec, dcgan.Generator(spec.shape, cfg.z_dim, cfg.width), D)
    return pair(cfg, spec, mlp.Generator(spec.shape, cfg.z_dim, 4 * cfg.width), mlp.Discriminator(spec.shape, 4 * cfg.width))
