"""R3GAN: plain residual networks, a relativistic loss, R1 and R2 at every step; strong and steady on images.

Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN": loss and penalties of section 2, networks of
section 4, schedules of the appendix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Game
from zerosum.losses import LossName
from zerosum.nets.r3gan import Discriminator, Generator
from zerosum.pair import pair
from zerosum.parts import Settings, need_images
from zerosum.penalties import PenaltyName


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """R3GAN's settings: the paper's, on narrower networks and over the whole training, so that a laptop can train it."""

    z_dim: int = 64  # numbers in a noise vector
    width: int = 128  # channels of the stages up to `full` pixels, a multiple of 8 (the paper: 768)
    full: int = 8  # side in pixels beyond which a stage has half the channels of the one before (the paper: 32)
    blocks: int = 2  # residual blocks at each size
    conditional: bool = True  # labels, where the data have them, steer G and inform D
    loss: LossName = "relativistic"  # what the two sides minimise
    penalty: PenaltyName = "r1_r2"  # penalty on D's gradient with respect to its input
    penalty_weight: float = 0.05  # weight of the penalty: gamma (the paper: 0.05 for CIFAR-10, 2 for 64 x 64 faces)
    penalty_end: float = 0.1  # share of that weight that is left at the end of a half cosine
    penalty_exact: bool = False  # take it in float32 also where the rest is in bfloat16
    lr_g: float = 2e-4  # G's learning rate
    lr_d: float = 2e-4  # D's learning rate
    lr_schedule: Literal["constant", "linear", "cosine"] = "cosine"  # how the learning rates fall
    lr_decay_from: float = 0.0  # share of training, or of schedule_kimg, after which they fall
    lr_end: float = 0.25  # share of the learning rates that is left at the end
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    beta2_start: float | None = 0.9  # its value at the start, from where it goes to beta2 by a half cosine; none: beta2
    ema_halflife_kimg: float = 500.0  # half-life of G's moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on images of any size. Raises UserError where the width is no multiple of 8."""
    shape = need_images(spec, "r3gan", least=4)
    if cfg.width % 8:
        raise UserError(f"width {cfg.width}: r3gan takes multiples of 8")
    if cfg.spectral_norm:
        raise UserError("spectral_norm does not go with r3gan, whose blocks begin with weights of 0: leave it out")
    for name in ("blocks", "full"):
        if getattr(cfg, name) < 1:
            raise UserError(f"{name} {getattr(cfg, name)}: must be 1 or more")
    classes = spec.classes if cfg.conditional else 0
    size = (cfg.width, cfg.blocks, cfg.full, classes)
    return pair(cfg, spec, Generator(shape, cfg.z_dim, *size), Discriminator(shape, *size), labelled=classes > 0)
