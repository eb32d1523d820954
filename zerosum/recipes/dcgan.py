"""DCGAN: convolutional generator and discriminator with batch norm; the plain image GAN.

Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional GANs", sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.data.source import Spec
from zerosum.game import Game
from zerosum.nets.dcgan import Discriminator, Generator
from zerosum.pair import pair
from zerosum.parts import Settings, need_images


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """DCGAN's settings."""

    lr_g: float = 1e-3  # G's learning rate
    lr_d: float = 1e-3  # D's learning rate
    lr_schedule: Literal["constant", "linear", "cosine"] = "linear"  # how the learning rates fall
    ema_halflife_kimg: float = 10.0  # half-life of G's moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on images of any size. D has batch norm unless its gradient is penalised item by item."""
    shape = need_images(spec, "dcgan")
    return pair(
        cfg, spec, Generator(shape, cfg.z_dim, cfg.width), Discriminator(shape, cfg.width, batch_norm=cfg.penalty == "none")
    )
