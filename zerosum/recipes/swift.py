"""Swift: residual G with batch norm, D without, R1 now and then; the house's own for minutes on a processor.

Not from a paper: the parts are (see `zerosum.nets.swift`), and the choice among them was made by experiment on Fashion-MNIST
(docs/LOG.md). R1 is Mescheder et al. 2018, eq. 9, taken lazily as in Karras et al. 2020 (StyleGAN2), section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.data.source import Spec
from zerosum.game import Game
from zerosum.nets.swift import Discriminator, Generator
from zerosum.pair import pair
from zerosum.parts import Settings, need_images
from zerosum.penalties import PenaltyName


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Swift's settings."""

    finish: int = 0  # channels of a last residual block of G at full size, for crisp pixels; 0: none
    conditional: bool = True  # labels, where the data have them, steer G and inform D
    penalty: PenaltyName = "r1"  # penalty on D's gradient with respect to its input
    penalty_weight: float = 0.02  # weight of the penalty
    penalty_every: int = 16  # steps between penalties; the weight is multiplied by it
    lr_g: float = 1e-3  # G's learning rate
    lr_d: float = 1e-3  # D's learning rate
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    lr_schedule: Literal["constant", "linear", "cosine"] = "cosine"  # how the learning rates fall
    ema_halflife_kimg: float = 10.0  # half-life of G's moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on images of at least 4 x 4 pixels."""
    shape = need_images(spec, "swift", least=4)
    classes = spec.classes if cfg.conditional else 0
    G, D = Generator(shape, cfg.z_dim, cfg.width, classes, cfg.finish), Discriminator(shape, cfg.width, classes)
    return pair(cfg, spec, G, D, labelled=classes > 0)
