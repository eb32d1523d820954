"""The original GAN: two multi-layer perceptrons, minimax or non-saturating; for vectors and small images.

Goodfellow et al. 2014, "Generative Adversarial Nets", algorithm 1 and section 3. `--loss minimax` plays the game as
written; the default follows the paper's own advice for training G.
"""

from __future__ import annotations

from dataclasses import dataclass

from zerosum.data.source import Spec
from zerosum.game import Game
from zerosum.nets.mlp import Discriminator, Generator
from zerosum.pair import pair
from zerosum.parts import Settings


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """The original GAN's settings."""

    width: int = 256  # units of a hidden layer
    depth: int = 3  # hidden layers of each net
    z_dim: int = 64  # numbers in a noise vector


def build(cfg: Config, spec: Spec) -> Game:
    """The game on data of any shape."""
    return pair(
        cfg, spec, Generator(spec.shape, cfg.z_dim, cfg.width, cfg.depth), Discriminator(spec.shape, cfg.width, cfg.depth)
    )
