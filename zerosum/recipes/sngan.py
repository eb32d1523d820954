"""SNGAN: residual networks, hinge loss, spectral normalisation in the discriminator.

Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", sections 2 and 4, table 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.data.source import Spec
from zerosum.game import Game
from zerosum.losses import LossName
from zerosum.nets.resnet import Discriminator, Generator
from zerosum.pair import pair
from zerosum.parts import Settings, need_images


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """SNGAN's settings: the paper's for CIFAR-10, at a quarter of its width so that a laptop can train it."""

    z_dim: int = 128  # numbers in a noise vector
    width: int = 64  # channels of G's and half of D's blocks (the paper: 256 and 128)
    loss: LossName = "hinge"  # what the two sides minimise
    spectral_norm: bool = True  # divide D's weight matrices by their largest singular value
    n_critic: int = 5  # D's turns for each turn of G
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.9  # Adam's decay of the mean squared gradient, both sides
    lr_schedule: Literal["constant", "linear", "cosine"] = "linear"  # how the learning rates fall
    lr_decay_from: float = 0.0  # share of training after which they fall
    ema_halflife_kimg: float = 10.0  # half-life of G's moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on images of at least 4 x 4 pixels."""
    shape = need_images(spec, "sngan", least=4)
    return pair(cfg, spec, Generator(shape, cfg.z_dim, cfg.width), Discriminator(shape, max(1, cfg.width // 2)))
