"""SAGAN: SNGAN's networks with self-attention, spectral normalisation on both sides, two learning rates.

Zhang et al. 2019, "Self-Attention Generative Adversarial Networks", sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.data.source import Spec
from zerosum.game import Game
from zerosum.layers.spectral import spectral
from zerosum.nets.resnet import Discriminator, Generator
from zerosum.pair import pair
from zerosum.parts import need_images
from zerosum.recipes import sngan


@dataclass(frozen=True, kw_only=True)
class Config(sngan.Config):
    """SAGAN's settings: the paper's learning rates and turns, on SNGAN's small networks."""

    n_critic: int = 1  # D's turns for each turn of G
    lr_g: float = 1e-4  # G's learning rate
    lr_d: float = 4e-4  # D's learning rate
    lr_schedule: Literal["constant", "linear", "cosine"] = "constant"  # how the learning rates fall


def build(cfg: Config, spec: Spec) -> Game:
    """The game on images of at least 8 x 8 pixels."""
    shape = need_images(spec, "sagan", least=8)
    G = Generator(shape, cfg.z_dim, cfg.width, attention=True)
    if cfg.spectral_norm:
        spectral(G)
    return pair(cfg, spec, G, Discriminator(shape, max(1, cfg.width // 2), attention=True))
